import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProcessTable } from '../../src/main/ports/node-process-table';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { type App, ask, startApp, until } from '../support/app';
import { CODE } from '../support/counting-app';
import { createOllamaModel } from '../support/counting-model';
import { FEW_WORDS } from '../support/counting-words';
import { type ForeignOllama, startForeignOllama } from '../support/foreign-ollama';
import { livingOf } from '../support/processes';
import { openWebClient, type WebClient } from '../support/web-client';

/** The context of models on a real Ollama: constant, reported, and never exceeded in silence. */
const NAME = `ollama/${SMALL_MODEL_NAME}`;
/** The most that the small model supports. */
const LIMIT = 8192;
const table = createProcessTable();

interface Answer {
  status: number;
  code?: string;
  error?: string;
  reasons: string;
}

async function post(url: string, body: object): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ stream: false, ...body }) });
  const { code, error } = (await response.json()) as { code?: string; error?: string };
  const reasons = response.headers.get('x-tandem-reasons') ?? '';
  return {
    ...{ status: response.status, reasons },
    ...(code === undefined ? {} : { code }),
    ...(error === undefined ? {} : { error }),
  };
}

/** A data folder with the setting that MLX is not used. */
async function ollamaOnly(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-context-'));
  await writeFile(join(folder, '.tandem-data'), '');
  await writeFile(
    join(folder, 'settings.json'),
    JSON.stringify({ version: 1, values: { useBackends: 'ollama' } }),
  );
  return folder;
}

const user = (content: string) => ({ role: 'user', content });

/** The pid of the only process that holds a model of this server, and the context that the server reports. */
async function runnerOf(server: { pid: number | null | undefined; url: string | null | undefined }) {
  const lines = await livingOf(await table.descendants(server.pid ?? 0));
  const { models } = (await (await fetch(`${server.url}/api/ps`)).json()) as {
    models: { context_length: number }[];
  };
  const pids = lines.filter((line) => line.includes('--model')).map((line) => Number.parseInt(line, 10));
  expect(pids).toHaveLength(1);
  return { pid: pids[0], contexts: models.map(({ context_length }) => context_length) };
}

describe('the small model on our own Ollama', () => {
  let app: App;
  let page: WebClient;
  beforeAll(async () => {
    app = await startApp({ dataDir: await ollamaOnly() });
    page = await openWebClient(app);
    await until(
      async () => (await ask(app.ready.gateway, CODE)).status === 200,
      'the small model is in Ollama',
    );
  });
  afterAll(async () => {
    page?.close();
    await app?.stop();
    await app?.remove();
  });

  const chat = (body: object) => post(`${app.ready.gateway}/api/chat`, { model: NAME, ...body });
  const ollama = async () => {
    const { pid, url } = (await app.health()).backends.ollama ?? {};
    return { pid, url };
  };
  const short = { num_predict: 2 };

  it('is loaded once with all that it supports, whatever context its clients ask for', async () => {
    const { gateway } = app.ready;
    const statuses = [
      await chat({ messages: [user('hi')], options: short }),
      await chat({ messages: [user('hi')], options: { ...short, num_ctx: 2048 } }),
      await chat({ messages: [], options: { num_ctx: 4096 } }),
      await post(`${gateway}/api/generate`, { model: NAME, prompt: 'a', raw: true, options: short }),
    ].map(({ status }) => status);
    const before = await runnerOf(await ollama());
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(before.contexts).toEqual([LIMIT]);
    await chat({ messages: [user('hi')], options: { ...short, num_ctx: LIMIT } });
    expect(await runnerOf(await ollama())).toEqual(before);
  });

  it('reports its context everywhere', async () => {
    const { gateway } = app.ready;
    const show = await fetch(`${gateway}/api/show`, {
      method: 'POST',
      body: JSON.stringify({ model: NAME }),
    });
    expect(await show.json()).toMatchObject({
      parameters: expect.stringMatching(/^num_ctx +8192$/),
      model_info: { 'general.context_length': LIMIT },
    });
    const { models } = (await (await fetch(`${gateway}/health`)).json()) as { models: object[] };
    const known = { backend: 'ollama', name: SMALL_MODEL_NAME };
    expect(models).toContainEqual(expect.objectContaining({ ...known, context_length: LIMIT }));
    expect((await page.snapshot()).models).toContainEqual(
      expect.objectContaining({ ...known, contextLength: LIMIT, pinnedContext: LIMIT }),
    );
  });

  it('rejects a larger num_ctx with the constant length and the cure', async () => {
    const answer = await chat({ messages: [user('hi')], options: { num_ctx: 2 * LIMIT } });
    expect(answer).toMatchObject({ status: 400, code: 'context_exceeded' });
    expect(answer.error).toMatch(/16384 tokens.* is 8192 tokens here.*contextLengths/);
  });

  const long = 'autumn leaves '.repeat(3000);
  const history = [user(long), { role: 'assistant', content: 'ok' }, user('Say hello.')];

  it('says that a conversation is too long, unless its oldest turns may be left out', async () => {
    const rejected = await chat({ messages: history, options: short });
    expect(rejected).toMatchObject({ status: 400, code: 'context_exceeded' });
    expect(rejected.error).toMatch(/holds 8192/);
    const shortened = await chat({ messages: history, options: short, truncate: true });
    expect(shortened).toMatchObject({ status: 200 });
    expect(shortened.reasons).toContain('context:truncated-1');
    const last = await chat({ messages: [user(long)], options: short, truncate: true });
    expect(last).toMatchObject({ status: 400, code: 'context_exceeded' });
  });

  it('says so also where only the server counts right: each digit is a token', async () => {
    const answer = await chat({ messages: [user('7'.repeat(LIMIT))], options: short });
    expect(answer).toMatchObject({ status: 400, code: 'context_exceeded' });
  });

  it('is loaded again, once, with another length that the user sets', async () => {
    const before = await runnerOf(await ollama());
    await page.call('settingsSet', { key: 'contextLengths', value: { [NAME]: 2048 } });
    for (const num_ctx of [1024, 2048])
      expect(await chat({ messages: [user('hi')], options: { ...short, num_ctx } })).toMatchObject({
        status: 200,
      });
    const after = await runnerOf(await ollama());
    expect(after).toEqual({ pid: expect.any(Number), contexts: [2048] });
    expect(after.pid).not.toBe(before.pid);
    expect(await chat({ messages: [user('hi')], options: { num_ctx: 4096 } })).toMatchObject({ status: 400 });
  });
});

describe('a model that another program has loaded in its own Ollama', () => {
  let folder: string;
  let theirs: ForeignOllama;
  let app: App;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tandem-context-'));
    theirs = await startForeignOllama(folder);
    await createOllamaModel(theirs.url, join(folder, 'made'), FEW_WORDS, 'theirs');
    await post(`${theirs.url}/api/chat`, { model: 'theirs', messages: [], options: { num_ctx: 512 } });
    app = await startApp({ dataDir: await ollamaOnly(), env: { OLLAMA_API_URL: theirs.url } });
  });
  afterAll(async () => {
    await app?.stop();
    await app?.remove();
    await theirs?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps its context, which is what Tandem reports and serves', async () => {
    const server = { pid: theirs.process.pid, url: theirs.url };
    const before = await runnerOf(server);
    expect(before.contexts).toEqual([512]);
    const chat = (options: object) =>
      post(`${app.ready.gateway}/api/chat`, { model: 'theirs', messages: [user('hi')], options });
    const show = await fetch(`${app.ready.gateway}/api/show`, { method: 'POST', body: '{"model":"theirs"}' });
    expect(await show.json()).toMatchObject({ model_info: { 'general.context_length': 512 } });
    expect(await chat({ num_predict: 2 })).toMatchObject({ status: 200 });
    expect(await chat({ num_predict: 2, num_ctx: 256 })).toMatchObject({ status: 200 });
    const rejected = await chat({ num_predict: 2, num_ctx: 1024 });
    expect(rejected).toMatchObject({ status: 400, code: 'context_exceeded' });
    const long = await post(`${app.ready.gateway}/api/chat`, {
      model: 'theirs',
      messages: [user('word '.repeat(1000))],
    });
    expect(long).toMatchObject({ status: 400, code: 'context_exceeded' });
    expect(await runnerOf(server)).toEqual(before);
  });
});
