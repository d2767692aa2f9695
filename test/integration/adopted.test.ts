import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { type App, ask, startApp, until } from '../support/app';
import { createOllamaModel } from '../support/counting-model';
import { FEW_WORDS } from '../support/counting-words';
import { type ForeignOllama, startForeignOllama } from '../support/foreign-ollama';
import { openWebClient, type WebClient } from '../support/web-client';

/** An Ollama that Tandem did not start: used, watched, and never changed without consent. */
const CODE = 'Write a Python function that merges two sorted lists';
const never = new AbortController().signal;
let folder: string;
let theirs: ForeignOllama;
let app: App;
let page: WebClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-adopted-'));
  theirs = await startForeignOllama(folder);
  await createOllamaModel(theirs.url, join(folder, 'made'), FEW_WORDS, 'theirs');
});
afterAll(async () => {
  page?.close();
  await app?.stop();
  await app?.remove();
  await theirs?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function open(url: string): Promise<void> {
  app = await startApp({ env: { OLLAMA_API_URL: url, MLX_RATE_LIMIT_MAX: '0' } });
  page = await openWebClient(app);
}

const names = async () => (await theirs.api.tags(never)).map(({ name }) => name);
const status = async () => (await page.snapshot()).backends.find(({ id }) => id === 'ollama');

const portOf = (server: ForeignOllama) => Number(new URL(server.url).port);

/** The address of a server that has just closed. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  const { port } = server.address() as AddressInfo;
  await new Promise((settle) => server.close(settle));
  return `http://127.0.0.1:${port}`;
}

describe('an Ollama named by OLLAMA_API_URL', () => {
  beforeAll(() => open(theirs.url));

  it('is adopted, answers, and gets the small model only with consent', async () => {
    expect(await status()).toMatchObject({
      state: 'adopted',
      ownership: 'adopted',
      url: theirs.url,
      pid: null,
    });
    expect(await ask(app.ready.gateway, CODE)).toMatchObject({
      status: 200,
      backend: 'ollama',
      model: 'theirs',
    });
    expect(await names()).toEqual(['theirs:latest']);
    await page.call('settingsSet', { key: 'smallModelInAdopted', value: true });
    await until(async () => (await names()).includes(`${SMALL_MODEL_NAME}:latest`), 'the model is created');
    const hello = await ask(app.ready.gateway, 'hello', { model: `ollama/${SMALL_MODEL_NAME}` });
    expect(hello).toMatchObject({ status: 200, backend: 'ollama', model: SMALL_MODEL_NAME });
  });

  it('is absent with the cure once it dies, and is used again when it is back', async () => {
    const port = portOf(theirs);
    await theirs.stop();
    const gone = await until(async () => {
      const now = await status();
      return now?.state === 'absent' && now;
    }, 'its death is noticed');
    expect(gone).toMatchObject({ ownership: 'none', lastError: { code: 'vanished' } });
    expect(gone.absence?.cure).toMatch(/OLLAMA_API_URL/);
    expect(await ask(app.ready.gateway, 'hello', { tokens: 4 })).toMatchObject({
      status: 200,
      backend: 'mlx',
    });
    const refused = await ask(app.ready.gateway, CODE);
    expect(refused).toMatchObject({ status: 503, code: 'ollama_down' });
    theirs = await startForeignOllama(folder, port);
    // The button on its card checks at once; without it a check runs every few seconds.
    await page.call('backendRestart', { backend: 'ollama' });
    await until(async () => (await status())?.state === 'adopted', 'it is adopted again');
    expect(await ask(app.ready.gateway, CODE)).toMatchObject({ status: 200, backend: 'ollama' });
  });

  it('is not touched when Tandem restarts it or exits', async () => {
    const { pid } = theirs.process;
    await page.call('backendRestart', { backend: 'ollama' });
    expect(await status()).toMatchObject({ state: 'adopted' });
    page.close();
    expect((await app.stop()).code).toBe(0);
    expect(theirs.process).toMatchObject({ pid, exitCode: null });
    const answer = await fetch(`${theirs.url}/api/generate`, {
      method: 'POST',
      body: JSON.stringify({ model: 'theirs', prompt: 'hello', stream: false }),
    });
    expect(answer.status).toBe(200);
    await app.remove();
  });
});

describe('an address without an Ollama', () => {
  it('is absent with the cure, and MLX alone answers what its small model can', async () => {
    const url = await deadUrl();
    await open(url);
    const absent = await status();
    expect(absent).toMatchObject({ state: 'absent', url });
    expect(absent?.absence?.cure).toMatch(/OLLAMA_API_URL names. Start it there/);
    expect(await ask(app.ready.gateway, 'hello', { tokens: 4 })).toMatchObject({
      status: 200,
      backend: 'mlx',
    });
    const code = await ask(app.ready.gateway, CODE, { tokens: 2 });
    expect(code).toMatchObject({ status: 200, backend: 'mlx', model: SMALL_MODEL_NAME });
    expect(code.reasons).toContain('small-model');
    expect(await ask(app.ready.gateway, 'Напиши стихотворение')).toMatchObject({ status: 503 });
    expect((await app.health()).status).toBe('degraded');
  });
});
