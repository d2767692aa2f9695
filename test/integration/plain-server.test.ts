import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, freePort, NO_SERVERS, startApp, until } from '../support/app';
import { FEW_WORDS, read, wordsOf } from '../support/counting-words';
import { writeCountingModel } from '../support/random-model';
import { mlxPython } from '../support/runtimes';
import { tempDir } from '../support/temp-dir';

test('a plain mlx_lm.server at MLX_API_URL answers as MLX', async () => {
  const folder = join(tempDir(), 'counting-1b');
  await writeCountingModel(folder, { hidden: 320, layers: 1 }, wordsOf('mlx', FEW_WORDS));
  const url = await plainServer(folder);
  const app = await startApp({ env: { ...NO_SERVERS, MLX_API_URL: url } });
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  const state = async () => (await app.health()).backends.mlx;
  await until(async () => (await state())?.state === 'adopted', 'the server is found');
  expect(await state()).toMatchObject({ pid: null, url });
  const { models } = (await app.health()) as unknown as { models: { backend: string; name: string }[] };
  expect(models.filter(({ backend }) => backend === 'mlx')).not.toEqual([]);
  const hello = await ask(app.ready.gateway, 'hello');
  expect(hello).toMatchObject({ status: 200, backend: 'mlx' });
  expect(read(hello.text)).toEqual({ words: FEW_WORDS, speakers: ['mlx'], doubled: false, missing: false });
});

/** Starts the server without the launcher; resolves with its address when it listens. */
async function plainServer(model: string): Promise<string> {
  const port = await freePort();
  const child = spawn(mlxPython(), ['-m', 'mlx_lm', 'server', '--model', model, '--port', String(port)], {
    env: { ...process.env, HF_HUB_OFFLINE: '1', HF_HOME: join(model, 'hf') },
    stdio: 'ignore',
  });
  const exit = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const url = `http://127.0.0.1:${port}`;
  const listens = () =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(listens, 'the plain server listens');
  return url;
}
