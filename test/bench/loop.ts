import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, NO_SERVERS } from '../support/app.ts';
import { startFakeOllama } from '../support/fake-ollama.ts';
import { type MeteredApp, startMeteredApp } from '../support/metered-app.ts';
import { type Figures, median } from './report.ts';

const MB = 1024 * 1024;
const GOAL_MS = 50;
/** For the work of all turns together. */
const WORK_GOAL_MS = 500;
const ROUNDS = 3;
const MODEL = 'ollama/steady';

interface Row {
  status: number;
  make(): string;
  /** On the MLX API port instead of the gateway. */
  mlxApi?: boolean;
  /** Default: `/api/chat`. */
  path?: string;
  /** Instead of the longest turn, the work of all turns: for work in many short ones. */
  allTurns?: boolean;
}

/** The most expensive bodies, with the expected status: large ones, and ones with the maximum number of values. */
const ROWS: Record<string, Row> = {
  chat_small: { status: 200, make: () => chat(['hello']) },
  chat_1mb: { status: 200, make: () => chat(['x'.repeat(MB)]) },
  chat_just_small: { status: 200, make: () => chat(Array(1_200).fill('word '.repeat(40))) },
  chat_30mb_one_message: { status: 200, make: () => chat(['word '.repeat(6 * MB)]) },
  chat_30mb_many_messages: { status: 200, make: () => chat(Array(20_000).fill('word '.repeat(300))) },
  chat_30mb_cyrillic: { status: 200, make: () => chat(['слово '.repeat(2.7 * MB)]) },
  chat_30mb_one_wide_letter: { status: 200, make: () => chat([`ж${'word '.repeat(6 * MB)}`]) },
  chat_30mb_emoji: { status: 200, make: () => chat(['😀'.repeat(7 * MB)]) },
  chat_30mb_line_ends: { status: 200, make: () => chat(['\n'.repeat(15 * MB)]) },
  chat_30mb_quotes: { status: 200, make: () => chat(['"'.repeat(15 * MB)]) },
  chat_30mb_escapes: { status: 200, make: () => chat(['\u0000'.repeat(5 * MB)]) },
  chat_30mb_image: {
    status: 200,
    make: () => chatOf([{ content: 'hi', images: ['QUJD'.repeat(7.5 * MB)] }]),
  },
  chat_30mb_call: { status: 200, make: () => chatOf([call({ text: 'word\n'.repeat(5 * MB) })]) },
  chat_30mb_calls: {
    status: 200,
    make: () => chatOf(Array(9_000).fill(call({ text: 'word\n'.repeat(500) }))),
  },
  chat_30mb_tools: {
    status: 200,
    make: () => chat(['hi'], { tools: [tool({ text: 'word '.repeat(6 * MB) })] }),
  },
  chat_30mb_blanks: { status: 200, make: () => `${chat(['hi']).slice(0, -1)}${' '.repeat(30 * MB)}}` },
  chat_30mb_number: {
    status: 400,
    make: () => `${chat(['hi']).slice(0, -1)},"extra":${'1'.repeat(30 * MB)}}`,
  },
  chat_30mb_key: { status: 400, make: () => chat(['hi'], { options: { ['k'.repeat(30 * MB)]: 1 } }) },
  messages_49k: { status: 200, make: () => chatOf(Array(49_000).fill({})) },
  messages_24k_calls: { status: 200, make: () => chatOf(Array(12_000).fill(call({}))) },
  tools_16k: { status: 200, make: () => chat(['hi'], { tools: Array(16_000).fill(tool({})) }) },
  calls_19k_of_20_messages: {
    status: 200,
    make: () => chatOf(Array(20).fill({ ...call({}), tool_calls: Array(950).fill(CALL) })),
  },
  calls_19k: { status: 200, make: () => chatOf([{ ...call({}), tool_calls: Array(19_000).fill(CALL) }]) },
  unknown_fields_99k: { status: 400, make: () => chatOf([{ content: 'hi', ...fields(99_000) }]) },
  // So many pictures fit no context.
  images_99k: { status: 400, make: () => chatOf([{ content: 'hi', images: Array(99_000).fill('QQ==') }]) },
  stop_99k: { status: 200, make: () => chat(['hi'], { options: { stop: Array(99_000).fill('stop') } }) },
  options_99k: { status: 400, make: () => chat(['hi'], { options: fields(99_000) }) },
  format_99k: { status: 200, make: () => chat(['hi'], { format: fields(99_000) }) },
  mlx_api_30mb: {
    status: 200,
    make: () => chat(['word '.repeat(6 * MB)]),
    mlxApi: true,
  },
  auto_30mb: { status: 200, make: () => chat(Array(20_000).fill('word '.repeat(300)), { model: 'auto' }) },
  wrong_messages_1mb: { status: 400, make: () => wrong(1.5 * MB) },
  wrong_messages_22mb: { status: 400, make: () => wrong(22 * MB) },
  wrong_last_message_30mb: {
    status: 400,
    make: () => chatOf([...Array(20_000).fill({ content: 'word '.repeat(300) }), { content: 1 }]),
  },
  broken_30mb: { status: 400, make: () => chat(['word '.repeat(6 * MB)]).slice(0, -1) },
  lists_in_lists_32mb: { status: 400, make: () => `${'['.repeat(16e6)}${']'.repeat(16e6)}` },
  lists_beside_lists_30mb: { status: 400, make: () => `[${'[],'.repeat(10e6)}[]]` },
  values_100k: { status: 400, make: () => `{"model":"auto","messages":[${Array(99_000).fill('1')}]}` },
  // The answer is one frame of 8 MB.
  frame_8mb_in_pieces: {
    status: 200,
    make: () => JSON.stringify({ model: MODEL, stream: false, raw: true, prompt: 'hi' }),
    path: '/api/generate',
    allTurns: true,
  },
};

/** Each body is hashed only while a suspect is on record. */
const SUSPECT_ROWS: Record<string, Row> = {
  suspect_3mb_one_message: { status: 200, make: () => chat(['word '.repeat(0.6 * MB)]) },
  suspect_3mb_many_messages: { status: 200, make: () => chat(Array(2_000).fill('word '.repeat(300))) },
};
const SUSPECT = { backend: 'ollama', cause: 'unknown' };

/** The only model fits all of them and is capable of everything. */
const SHOW = {
  capabilities: ['completion', 'tools', 'vision'],
  model_info: { 'fake.context_length': 100_000_000 },
};

/**
 * The longest block of the host's event loop while one body after the other arrives: the median of several rounds, in
 * CPU time, so that other programs on the machine do not count.
 */
export async function loop(): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-loop-'));
  const fake = await startFakeOllama({
    words: 1,
    everyMs: 0,
    replies: {
      '/api/show': (response) => response.end(JSON.stringify(SHOW)),
      '/api/generate': writeLongFrame,
    },
  });
  const contexts = JSON.stringify({ [MODEL]: 16_000_000 });
  const env = { ...NO_SERVERS, OLLAMA_API_URL: fake.url, TANDEM_CONTEXT_LENGTHS: contexts };
  const figures: Figures = {};
  const collections: number[] = [];
  let wrongs = 0;
  try {
    for (const rows of [ROWS, SUSPECT_ROWS]) {
      const dataDir = await mkdtemp(join(folder, 'data-'));
      if (rows === SUSPECT_ROWS) await recordSuspect(dataDir);
      const app = await startMeteredApp(folder, { env, dataDir });
      try {
        wrongs += await measureRows(rows, app, figures, collections);
      } finally {
        await app.stop();
      }
    }
    // The lower bound for each row whose body causes a collection; on a busy machine both rise alike.
    figures['loop.one_collection'] = { value: median(collections), unit: 'ms', goal: null };
    figures['loop.wrong'] = { value: wrongs, unit: 'answers', goal: 0, correct: true };
    return figures;
  } finally {
    await fake.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Adds a figure for each row; returns the number of wrong answers. */
async function measureRows(
  rows: Record<string, Row>,
  app: MeteredApp,
  figures: Figures,
  collections: number[],
): Promise<number> {
  let wrongs = 0;
  await ask(app.ready.gateway, 'hello', { model: MODEL });
  for (const [name, { status, make, mlxApi, path = '/api/chat', allTurns }] of Object.entries(rows)) {
    const times: number[] = [];
    const body = Buffer.from(make());
    for (let round = 0; round < ROUNDS; round += 1) {
      await app.measure();
      const found = await send(`${mlxApi ? app.ready.mlxApi : app.ready.gateway}${path}`, body);
      if (found !== status) wrongs += 1;
      const held = await app.measure();
      times.push(allTurns ? held.busyMs : held.blockMs);
      collections.push(held.collectMs);
    }
    console.error(name, times.map((ms) => ms.toFixed(0)).join(', '));
    figures[`loop.${name}`] = { value: median(times), unit: 'ms', goal: allTurns ? WORK_GOAL_MS : GOAL_MS };
  }
  return wrongs;
}

/** The record of a request during which a server died. */
async function recordSuspect(dataDir: string): Promise<void> {
  await writeFile(join(dataDir, '.tandem-data'), '');
  const suspects = { ['0'.repeat(32)]: [{ ...SUSPECT, at: Date.now() }] };
  await writeFile(join(dataDir, 'suspects.json'), JSON.stringify(suspects));
}

/** One frame of nearly 8 MB, the most that the host accepts, in pieces of 16 kB. */
function writeLongFrame(response: ServerResponse): void {
  const text = 'x'.repeat(8 * MB - 1024);
  const frames = Buffer.from(
    `{"response":"${text}","done":false}\n{"response":"","done":true,"done_reason":"stop"}\n`,
  );
  let sent = 0;
  const next = () => {
    if (response.destroyed) return;
    if (sent >= frames.length) return void response.end();
    const piece = frames.subarray(sent, sent + 16 * 1024);
    sent += piece.length;
    response.write(piece, () => setImmediate(next));
  };
  next();
}

async function send(url: string, body: Buffer<ArrayBuffer>): Promise<number> {
  const response = await fetch(url, { method: 'POST', body });
  await response.arrayBuffer();
  return response.status;
}

function chat(contents: string[], more: object = {}): string {
  return chatOf(
    contents.map((content) => ({ content })),
    more,
  );
}

function chatOf(messages: object[], more: object = {}): string {
  const all = messages.map((message) => ({ role: 'user', ...message }));
  return JSON.stringify({ model: MODEL, stream: false, messages: all, ...more });
}

const CALL = { function: { name: 'f', arguments: {} } };
const tool = (parameters: object) => ({ type: 'function', function: { name: 'f', parameters } });
const call = (given: object) => ({
  role: 'assistant',
  tool_calls: [{ function: { name: 'f', arguments: given } }],
});

function fields(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]));
}

function wrong(bytes: number): string {
  const one = '{"role":"x"}';
  return `{"model":"auto","messages":[${Array(Math.floor(bytes / (one.length + 1))).fill(one)}]}`;
}
