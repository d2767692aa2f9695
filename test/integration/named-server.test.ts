import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ask, startApp } from '../support/app';
import { startFakeOllama } from '../support/fake-ollama';
import { openWebClient } from '../support/web-client';

/** An address with user and password, as a person writes it for a server behind a proxy. On the built host. */
const USER = 'someone';
const PASSWORD = 'p@ss/word';
const AUTHORIZATION = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;

async function filesBelow(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return texts.join('\n');
}

it('a named server gets user and password with every call, and nobody else sees them', async () => {
  const server = await startFakeOllama({ words: 2, everyMs: 0, authorization: AUTHORIZATION });
  onTestFinished(() => server.close());
  const named = server.url.replace('//', `//${USER}:${encodeURIComponent(PASSWORD)}@`);
  const app = await startApp({ env: { OLLAMA_API_URL: named, MLX_API_URL: named } });
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  const page = await openWebClient(app);
  onTestFinished(() => page.close());

  const snapshot = await page.snapshot();
  for (const backend of snapshot.backends)
    expect(backend).toMatchObject({ state: 'adopted', url: server.url });
  for (const model of ['ollama/steady', 'mlx/steady'])
    expect(await ask(app.ready.gateway, 'hello', { model })).toMatchObject({ status: 200 });
  expect(snapshot.settings.ollamaUrl?.value).toBe(server.url);
  const told = [
    JSON.stringify([await app.health(), snapshot, page.pushes]),
    app.log(),
    await filesBelow(app.dataDir),
  ].join('\n');
  for (const secret of [USER, PASSWORD, encodeURIComponent(PASSWORD), AUTHORIZATION])
    expect(told.includes(secret)).toBe(false);
});
