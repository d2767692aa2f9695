import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, NO_SERVERS } from '../support/app.ts';
import { startFakeOllama } from '../support/fake-ollama.ts';
import { type MeteredApp, startMeteredApp } from '../support/metered-app.ts';
import { type Figures, median } from './report.ts';

const MB = 1024 * 1024;
const GOAL_MS = 50;
const ROUNDS = 3;
const MODEL = 'ollama/steady';

/** Bodies that cost the most, with the status that each gets. */
const BODIES: Record<string, { status: number; make(): string }> = {
  chat_small: { status: 200, make: () => chat(['hello']) },
  chat_1mb: { status: 200, make: () => chat(['x'.repeat(MB)]) },
  chat_30mb_one_message: { status: 200, make: () => chat(['word '.repeat(6 * MB)]) },
  chat_30mb_many_messages: { status: 200, make: () => chat(Array(20_000).fill('word '.repeat(300))) },
  chat_30mb_cyrillic: { status: 200, make: () => chat(['слово '.repeat(2.7 * MB)]) },
  auto_3mb: { status: 200, make: () => chat(Array(1_000).fill('word '.repeat(600)), 'auto') },
  wrong_messages_1mb: { status: 400, make: () => wrong(1.5 * MB) },
  wrong_messages_22mb: { status: 400, make: () => wrong(22 * MB) },
  lists_in_lists_32mb: { status: 400, make: () => `${'['.repeat(16e6)}${']'.repeat(16e6)}` },
  lists_beside_lists_30mb: { status: 400, make: () => `[${'[],'.repeat(10e6)}[]]` },
  values_100k: { status: 400, make: () => `{"model":"auto","messages":[${Array(99_000).fill('1')}]}` },
};

/**
 * The longest block of the host's event loop while one body after the other comes in: the middle one of some rounds, in
 * processor time, so that what else the machine does is left out.
 */
export async function loop(): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-loop-'));
  const fake = await startFakeOllama({ words: 1, everyMs: 0 });
  const env = { ...NO_SERVERS, OLLAMA_API_URL: fake.url };
  const app = await startMeteredApp(folder, { env });
  try {
    await ask(app.ready.gateway, 'hello', { model: MODEL });
    const figures: Figures = {};
    let wrongs = 0;
    for (const [name, { status, make }] of Object.entries(BODIES)) {
      const blocks: number[] = [];
      const body = Buffer.from(make());
      for (let round = 0; round < ROUNDS; round += 1) {
        await app.measure();
        const found = await send(app, body);
        if (found !== status) wrongs += 1;
        blocks.push((await app.measure()).blockMs);
      }
      console.error(name, blocks.map((ms) => ms.toFixed(0)).join(', '));
      figures[`loop.${name}`] = { value: median(blocks), unit: 'ms', goal: GOAL_MS };
    }
    figures['loop.wrong'] = { value: wrongs, unit: 'answers', goal: 0, correct: true };
    return figures;
  } finally {
    await app.stop();
    await app.remove();
    await fake.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function send(app: MeteredApp, body: Buffer<ArrayBuffer>): Promise<number> {
  const response = await fetch(`${app.ready.gateway}/api/chat`, { method: 'POST', body });
  await response.arrayBuffer();
  return response.status;
}

function chat(contents: string[], model = MODEL): string {
  const messages = contents.map((content) => ({ role: 'user', content }));
  return JSON.stringify({ model, stream: false, messages });
}

function wrong(bytes: number): string {
  const one = '{"role":"x"}';
  return `{"model":"auto","messages":[${Array(Math.floor(bytes / (one.length + 1))).fill(one)}]}`;
}
