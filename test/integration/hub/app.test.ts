import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type App, ask, startApp, until } from '../../support/app';
import { randomModelFiles } from '../../support/hub-fixture';
import { HubServer } from '../../support/hub-server';
import { livingOf, processesOf } from '../../support/processes';
import { SLOW } from '../../support/random-model';
import { filesContaining, tempDir } from '../../support/temp-dir';
import { downloadIn, openWebClient } from '../../support/web-client';

/** A model for MLX, from its name to its first answer: the real app, the hub's real client, the real mlx_lm. */

const NAME = 'org/random-model';
const KEY = { backend: 'mlx', name: NAME };

it('is looked up, downloaded through kill -9 of the app, listed, and answers', async () => {
  const hub = await new HubServer().listen();
  onTestFinished(() => hub.close());
  const files = await randomModelFiles(SLOW);
  hub.repos[NAME] = { files, gated: true, licence: 'mit' };
  const dataDir = join(tempDir(), 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(join(dataDir, '.tandem-data'), '');
  const settings = { version: 1, values: { useBackends: 'mlx', smallModel: false } };
  writeFileSync(join(dataDir, 'settings.json'), JSON.stringify(settings));
  const env = { HF_ENDPOINT: hub.url, HF_HUB_CACHE: join(tempDir(), 'hub'), MLX_RATE_LIMIT_MAX: '0' };
  const open = async (): Promise<{ app: App; page: Awaited<ReturnType<typeof openWebClient>> }> => {
    const app = await startApp({ dataDir, env, args: [] });
    onTestFinished(async () => void (await app.stop()));
    return { app, page: await openWebClient(app) };
  };

  const first = await open();
  const { page } = first;
  // The set-up reports where Python is.
  await until(
    async () => (await page.snapshot()).setup.some(({ part, stage }) => part === 'mlx' && stage === 'ready'),
    'MLX is set up',
  );
  expect(await page.call('modelLookup', KEY)).toMatchObject({
    gated: true,
    licence: 'mit',
    installed: false,
  });
  await page.call('downloadStart', KEY);
  const refused = await page.next((push) => {
    const now = downloadIn(push, NAME);
    return now?.state === 'failed' ? now : undefined;
  }, 'it asks for a token');
  expect(refused.error).toMatchObject({ code: 'model_gated' });

  await page.call('hubTokenSet', { token: hub.token });
  expect(await page.call('hubTokenState', {})).toEqual({ stored: true, fromEnvironment: false });
  expect(await page.call('modelLookup', KEY)).toMatchObject({ contextLength: 2048, refused: null });
  hub.fault = { kind: 'stall', afterBytes: 4_000_000 };
  await page.call('downloadStart', KEY);
  await page.next((push) => (downloadIn(push, NAME)?.completedBytes ?? 0) > 3_000_000 || undefined, 'bytes');
  const children = await processesOf(first.app.process.pid ?? 0);
  page.close();
  await first.app.kill();
  await until(async () => (await livingOf(children)).length === 0, 'its processes have ended');

  hub.fault = { kind: 'none' };
  hub.requests.length = 0;
  const { app, page: again } = await open();
  const done = await again.next((push) => {
    const now = downloadIn(push, NAME);
    return now?.state === 'done' ? now : undefined;
  }, 'it continues without being asked');
  expect(done).toMatchObject({ error: null, completedBytes: done.totalBytes });
  expect(hub.starts()).toHaveLength(1);
  expect(hub.starts()[0]).toBeGreaterThan(2_900_000);
  await until(
    async () =>
      (await again.snapshot()).models.some((model) => model.backend === 'mlx' && model.name === NAME),
    'it is listed',
  );
  // It had nothing to load until now.
  await until(async () => (await app.health()).backends.mlx?.state === 'ready', 'MLX has started');
  const strict = { 'x-tandem-strict': 'true' };
  expect(await ask(app.ready.gateway, 'hello', { model: `mlx/${NAME}`, headers: strict })).toMatchObject({
    status: 200,
    backend: 'mlx',
    model: NAME,
  });
  expect(await again.call('modelLookup', KEY)).toMatchObject({ installed: true });
  again.close();
  await app.stop();
  expect(readFileSync(join(dataDir, 'downloads.json'), 'utf8')).toBe('[]');
  // The token is in its own file only, not in the log.
  expect(filesContaining(dataDir, hub.token)).toEqual(['secrets.json']);
  expect(statSync(join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
  expect(app.log() + first.app.log()).not.toContain(hub.token);
});
