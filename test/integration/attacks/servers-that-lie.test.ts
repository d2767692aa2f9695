import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type App, ask, NO_SERVERS, startApp, until } from '../../support/app';
import { type ContractClient, connect } from '../../support/contract-client';
import { type FakeOllama, startFakeOllama } from '../../support/fake-ollama';
import { peakBytes } from '../../support/peak-memory';

/** An Ollama that breaks the protocol. The request gets its own error; the host continues. */

const MB = 1024 * 1024;
const MOST_MEMORY = 400 * MB;
const MODEL = 'ollama/steady';

let fake: FakeOllama;
let app: App;
let ui: ContractClient;
/** The server's response to the next completions; null = a good answer. */
let completion: ((response: ServerResponse) => void) | null = null;
let pull: (response: ServerResponse) => void = (response) => response.end();

const frame = (part: object) => `${JSON.stringify({ model: 'steady', ...part })}\n`;
const word = (content: string) => frame({ message: { role: 'assistant', content }, done: false });
const last = (figures: object = {}) =>
  frame({ message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', ...figures });

beforeAll(async () => {
  const answer = (response: ServerResponse) => {
    if (completion) return completion(response);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.end(word('fine') + last({ prompt_eval_count: 1, eval_count: 1 }));
  };
  fake = await startFakeOllama({
    words: 1,
    everyMs: 0,
    replies: { '/api/chat': answer, '/api/pull': (response) => pull(response) },
  });
  app = await startApp({ env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
  ui = await connect(app.ready.web);
  await until(async () => (await send()).status === 200, 'the server answers');
});
afterAll(async () => {
  await app?.stop();
  await app?.remove();
  await fake?.close();
});
afterEach(async () => {
  completion = null;
  expect(await send()).toMatchObject({ status: 200, text: 'fine' });
  expect(await peakBytes(Number(app.process.pid))).toBeLessThan(MOST_MEMORY);
});

let sent = 0;

const send = () => {
  sent += 1;
  return ask(app.ready.gateway, 'hello', { model: MODEL });
};

/** Writes the same piece as fast as it is read, up to a number of times. */
function pour(response: ServerResponse, piece: string | Buffer, times = Number.POSITIVE_INFINITY): void {
  let left = times;
  const write = () => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(piece)) return void response.once('drain', write);
    }
    if (!response.destroyed) response.end();
  };
  write();
}

const BLOCK = Buffer.alloc(MB, 'x');

describe('a completion', () => {
  it.each<[string, number, (response: ServerResponse) => void]>([
    ['a refusal without an end', 500, (response) => pour(response, BLOCK)],
    ['a refusal of one line without an end', 500, (response) => pour(response, BLOCK)],
    ['50 MB without a line end', 200, (response) => pour(response, BLOCK, 50)],
    [
      'one frame of 100 MB',
      200,
      (response) => {
        response.write('{"message":{"role":"assistant","content":"');
        pour(response, BLOCK, 100);
      },
    ],
    ['an answer of 321 MB', 200, (response) => pour(response, word('x'.repeat(64 * 1024)), 5_136)],
    ['frames that are no objects', 200, (response) => pour(response, 'null\n', 1)],
    ['frames that are no JSON', 200, (response) => pour(response, '{{{\n', 1)],
    ['an end in the middle', 200, (response) => pour(response, word('half'), 1)],
  ])('%s counts as a failure of that server', async (_name, status, reply) => {
    completion = (response) => {
      response.writeHead(status, { 'content-type': 'application/x-ndjson' });
      reply(response);
    };
    const answer = await send();
    expect(answer).toMatchObject({ status: 502, code: 'backend_failed', error: expect.stringMatching(/\w/) });
    expect(String(answer.error).length).toBeLessThan(1_000);
  });

  it.each<[string, object]>([
    ['text', { eval_count: 'abc', prompt_eval_count: 'many' }],
    ['numbers beyond all sense', { load_duration: 1e308, eval_count: 1e308, eval_duration: 1e308 }],
    ['negative ones', { load_duration: -1, eval_count: -5, prompt_eval_count: -5 }],
    ['lists', { eval_count: [1], load_duration: {} }],
  ])('figures that are %s are ignored, and nothing is learned from them', async (_name, figures) => {
    completion = (response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(word('counted') + last(figures));
    };
    expect(await send()).toMatchObject({ status: 200, text: 'counted' });
    const { times } = await ui.snapshot();
    const learned = times.find(({ name }) => name === 'steady');
    expect(learned?.loadS ?? 0).toBeLessThan(1_000);
    expect(learned?.per1kS ?? 0).toBeLessThan(1_000);
  });

  it('leaves its row in the journal in every case', async () => {
    await app.stop();
    const db = new DatabaseSync(join(app.dataDir, 'tandem.db'), { readOnly: true });
    const { rows } = db.prepare('SELECT count(*) AS rows FROM journal').get() ?? {};
    db.close();
    expect(rows).toBe(sent);
    app = await startApp({ dataDir: app.dataDir, env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
    ui = await connect(app.ready.web);
  });
});

describe('a download', () => {
  const stateOf = async (name: string) => {
    const { downloads } = await ui.snapshot();
    return downloads.find((each) => each.name === name)?.state;
  };

  it.each<[string, (response: ServerResponse) => void]>([
    [
      '10000-layers',
      (response) => {
        for (let layer = 0; layer < 10_000; layer += 1) {
          const digest = `sha256:${String(layer).padStart(64, '0')}`;
          response.write(
            `${JSON.stringify({ status: `pulling ${layer}`, digest, total: 1e12, completed: 1 })}\n`,
          );
        }
        response.end('{"status":"success"}\n');
      },
    ],
    ['line-without-end', (response) => pour(response, BLOCK)],
    ['no-json', (response) => response.end('{{{\n')],
  ])('%s fails alone', async (name, reply) => {
    pull = (response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      reply(response);
    };
    await ui.value('downloadStart', { backend: 'ollama', name });
    await expect.poll(() => stateOf(name)).toBe('failed');
  });
});
