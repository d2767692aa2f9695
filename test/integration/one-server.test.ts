import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type App, NO_SERVERS, startApp, until } from '../support/app';
import { startFakeOllama } from '../support/fake-ollama';
import { openWebClient, type WebClient } from '../support/web-client';

/** The user wants MLX alone: the other server is neither searched for nor mentioned until it is enabled again. */

let dataDir: string;
let app: App;
let page: WebClient;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tandem-one-server-'));
  await writeFile(
    join(dataDir, 'settings.json'),
    JSON.stringify({ version: 1, values: { useBackends: 'mlx' } }),
  );
  app = await startApp({ dataDir, env: NO_SERVERS });
  page = await openWebClient(app);
});
afterAll(async () => {
  page?.close();
  await app?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const partsNow = async () => (await page.snapshot()).setup.map(({ part }) => part).sort();

it('sets up only the enabled server, and the other one when it is enabled', async () => {
  expect(await partsNow()).toEqual(['mlx', 'model']);
  await page.call('settingsSet', { key: 'useBackends', value: 'both' });
  const settled = await page.next(
    (push) =>
      push.name === 'patch'
        ? push.payload.patch.setup?.find(({ part, stage }) => part === 'ollama' && stage === 'ready')
        : undefined,
    'the set-up of the other server',
  );
  expect(settled.url).toBe(NO_SERVERS.OLLAMA_API_URL);
  await page.call('settingsSet', { key: 'useBackends', value: 'mlx' });
  expect(await partsNow()).toEqual(['mlx', 'model']);
});

it('lists the models of the enabled server, and no others', async () => {
  const mlx = await startFakeOllama({ words: 1, everyMs: 0 });
  const ollama = await startFakeOllama({ words: 1, everyMs: 0 });
  const folder = await mkdtemp(join(tmpdir(), 'tandem-one-server-'));
  await writeFile(
    join(folder, 'settings.json'),
    JSON.stringify({ version: 1, values: { useBackends: 'ollama', smallModel: false } }),
  );
  const env = { MLX_API_URL: mlx.url, OLLAMA_API_URL: ollama.url };
  const other = await startApp({ dataDir: folder, env });
  onTestFinished(async () => {
    await other.stop();
    await Promise.all([mlx.close(), ollama.close()]);
    await rm(folder, { recursive: true, force: true });
  });
  const view = await openWebClient(other);
  onTestFinished(() => view.close());
  const listed = async () => (await view.snapshot()).models.map(({ backend, name }) => `${backend}/${name}`);
  await until(async () => (await listed()).includes('ollama/steady'), 'its models are listed');
  await view.call('modelsRescan', {});
  expect(await listed()).toEqual(['ollama/steady']);
  const tags = (await (await fetch(`${other.ready.gateway}/api/tags`)).json()) as {
    models: { name: string }[];
  };
  expect(tags.models.filter(({ name }) => name.includes('steady'))).toHaveLength(1);
});
