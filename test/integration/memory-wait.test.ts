import { expect, it, onTestFinished } from 'vitest';
import { ask, until } from '../support/app';
import { connect } from '../support/contract-client';
import { startCountingApp } from '../support/counting-app';

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
