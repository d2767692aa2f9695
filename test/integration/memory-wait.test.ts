import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ask, until } from '../support/app';
import { connect } from '../support/contract-client';
import { COUNTING, startCountingApp } from '../support/counting-app';
import { tempDir } from '../support/temp-dir';

/** A death while memory is critical, on the built app: the threshold is lowered until this machine is above it. */
it('MLX does not restart without enough memory, says so, and restarts once there is', async () => {
  const app = await startCountingApp({ env: { TANDEM_RESTART_BACKOFF: '0.2' } });
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  const ui = await connect(app.ready.web);
  const mlx = async () => (await ui.snapshot()).backends.find(({ id }) => id === 'mlx');
  const pid = await until(async () => (await mlx())?.pid, 'MLX');
  await ui.value('settingsSet', { key: 'memoryWarningPercent', value: 1 });
  await ui.value('settingsSet', { key: 'memoryCriticalPercent', value: 1 });
  await until(async () => (await ui.snapshot()).memory?.pressure === 'critical', 'critical memory');
  process.kill(pid, 'SIGKILL');
  const waiting = await until(async () => {
    const now = await mlx();
    return now?.stage === 'waiting' && now;
  }, 'MLX waiting');
  expect(waiting).toMatchObject({ state: 'starting', pid: null, lastError: { code: 'killed_by_os' } });
  expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'ollama' });
  const life = async () => (await ui.snapshot()).life.filter(({ backend }) => backend === 'mlx');
  expect((await life()).at(-1)).toMatchObject({ type: 'waiting_for_memory', cause: 'killed_by_os' });
  await ui.value('settingsReset', { key: 'memoryCriticalPercent' });
  await ui.value('settingsReset', { key: 'memoryWarningPercent' });
  await until(async () => (await mlx())?.state === 'ready', 'MLX ready again');
  expect((await life()).slice(-3).map(({ type }) => type)).toEqual([
    'waiting_for_memory',
    'started',
    'ready',
  ]);
  expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
});

/** Loads its model only once the file is gone. */
const WAITING_LOAD = (file: string) => `
import os, time
def install(server, launcher):
    load = server.ModelProvider._load
    def waits(*args):
        while os.path.exists(${JSON.stringify(file)}):
            time.sleep(0.02)
        return load(*args)
    server.ModelProvider._load = waits
`;

// Elsewhere the memory figures come from programs of the system.
it.runIf(process.platform === 'linux')(
  'a preload that is given up for lack of memory is no restart by the user, and keeps the counters',
  async () => {
    const folder = tempDir();
    const [faults, load, held] = ['host.json', 'faults.py', 'held'].map((name) => join(folder, name));
    writeFileSync(String(load), WAITING_LOAD(String(held)));
    const app = await startCountingApp({
      env: {
        OLLAMA_API_URL: 'http://127.0.0.1:9',
        TANDEM_RESTART_BACKOFF: '0.2',
        TANDEM_MLX_FAULTS: String(load),
        TANDEM_HOST_FAULTS: String(faults),
        NODE_OPTIONS: `--import ${resolve(import.meta.dirname, '../support/host-faults.mjs')}`,
      },
    });
    onTestFinished(async () => {
      rmSync(String(held), { force: true });
      await app.stop();
      await app.remove();
    });
    const ui = await connect(app.ready.web);
    const mlx = async () => (await ui.snapshot()).backends.find(({ id }) => id === 'mlx');
    const usedMemory = async (memory: number) => {
      writeFileSync(String(faults), JSON.stringify({ clockMs: 0, memory }));
      rmSync(`${faults}.held`, { force: true });
      app.process.kill('SIGUSR2');
      await until(async () => existsSync(`${faults}.held`), 'the host reads its faults');
    };
    const { pid } = (await mlx()) ?? {};
    await usedMemory(0.2);
    writeFileSync(String(held), '');
    process.kill(Number(pid), 'SIGKILL');
    const loading = await until(async () => {
      const now = await mlx();
      return now?.stage === 'loading' && now;
    }, 'MLX loading again');
    expect(loading).toMatchObject({ restarts: 1, lastError: { code: 'killed' } });

    await usedMemory(0.8);
    const ready = await until(async () => {
      const now = await mlx();
      return now?.state === 'ready' && now;
    }, 'MLX ready without a model');
    expect(ready).toMatchObject({ model: null, restarts: 1, lastError: loading.lastError });
    expect(ready.pid).not.toBe(loading.pid);
    const life = (await ui.snapshot()).life
      .filter(({ backend }) => backend === 'mlx')
      .map(({ type }) => type);
    expect(life.slice(life.indexOf('died'))).toEqual([
      'died',
      'restart_planned',
      'started',
      'preload_given_up',
      'started',
      'ready',
    ]);

    await usedMemory(0.2);
    rmSync(String(held));
    const answer = await ask(app.ready.gateway, 'hello');
    expect(answer).toMatchObject({ status: 200, backend: 'mlx', model: COUNTING });
  },
);
