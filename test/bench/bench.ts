import { parseArgs } from 'node:util';
import { chat } from './chat.ts';
import { faults } from './faults/run.ts';
import { frame } from './frame.ts';
import { idle } from './idle.ts';
import { loop } from './loop.ts';
import { memory, TRACES } from './memory.ts';
import { questions } from './questions.ts';
import { queue } from './queue.ts';
import { type Figures, report } from './report.ts';
import { scan } from './scan.ts';
import { REQUESTS, soak } from './soak.ts';
import { ui } from './ui.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    count: { type: 'string' },
    out: { type: 'string' },
    resume: { type: 'boolean', default: false },
    only: { type: 'string' },
    shipped: { type: 'boolean', default: false },
  },
});

const number = (text: string | undefined) => (text === undefined ? null : Number(text));

/** `npm run bench -- NAME [--json FILE] [--seed N] …`: runs one benchmark against the built app. */
const BENCHES: Record<string, () => Promise<Figures>> = {
  chat,
  faults: async () => {
    const { table, figures } = await faults({
      seed: Number(values.seed),
      minutes: number(values.minutes),
      count: number(values.count),
      resume: values.resume,
      out: values.out ?? null,
      shipped: values.shipped,
      only: values.only ?? null,
    });
    for (const line of table) console.log(line);
    return figures;
  },
  frame,
  idle,
  loop,
  memory: () => memory({ seed: Number(values.seed), traces: number(values.count) ?? TRACES }),
  questions,
  queue,
  scan,
  soak: () => soak(number(values.count) ?? REQUESTS),
  ui,
};

const name = positionals[0] ?? '';
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (!bench) {
  console.error(
    `usage: npm run bench -- NAME [--json FILE], with NAME one of: ${Object.keys(BENCHES).join(', ')}`,
  );
  process.exit(2);
}
process.exitCode = await report(name, await bench(), values.json ?? null);
