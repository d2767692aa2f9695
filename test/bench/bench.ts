import { parseArgs } from 'node:util';
import { chat } from './chat.ts';
import { idle } from './idle.ts';
import { queue } from './queue.ts';
import { type Figures, report } from './report.ts';
import { scan } from './scan.ts';
import { ui } from './ui.ts';

/** `npm run bench -- NAME [--json FILE]`: runs one benchmark against the built app. */
const BENCHES: Record<string, () => Promise<Figures>> = { chat, idle, queue, scan, ui };

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const name = positionals[0] ?? '';
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (!bench) {
  console.error(
    `usage: npm run bench -- NAME [--json FILE], with NAME one of: ${Object.keys(BENCHES).join(', ')}`,
  );
  process.exit(2);
}
process.exitCode = await report(name, await bench(), values.json ?? null);
