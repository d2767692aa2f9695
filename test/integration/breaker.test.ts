import { expect, it, onTestFinished } from 'vitest';
import { ask, until } from '../support/app';
import { connect } from '../support/contract-client';
import { startCountingApp } from '../support/counting-app';

/** The breaker opens and closes automatically, on the built app with real servers and short waits. */
it('a server that dies repeatedly is left alone, retried automatically, and used again', async () => {
  const app = await startCountingApp({ env: { TANDEM_RESTART_BACKOFF: '0.05' } });
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  const ui = await connect(app.ready.web);
  const mlx = async () => {
    const { backends } = await ui.snapshot();
    const found = backends.find(({ id }) => id === 'mlx');
    if (!found) throw new Error('no MLX in the snapshot');
    return found;
  };
  const killed = new Set<number>();
  const open = await until(async () => {
    const now = await mlx();
    if (now.state === 'open') return now;
    if (now.pid !== null && !killed.has(now.pid)) {
      killed.add(now.pid);
      process.kill(now.pid, 'SIGABRT');
    }
    return null;
  }, 'the breaker open');
  expect(open).toMatchObject({ restarts: 10, breaker: { state: 'open', nextTryAt: expect.any(Number) } });
  expect(killed.size).toBe(11);
  const meanwhile = await ask(app.ready.gateway, 'hello');
  expect(meanwhile).toMatchObject({ status: 200, backend: 'ollama' });
  expect(meanwhile.reasons).toContain('breaker:open');
  const closed = await until(async () => {
    const now = await mlx();
    return now.state === 'ready' && now;
  }, 'MLX ready again');
  expect(closed).toMatchObject({ restarts: 10, breaker: { state: 'closed', nextTryAt: null } });
  expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  const life = (await ui.snapshot()).life.filter(({ backend }) => backend === 'mlx').map(({ type }) => type);
  expect(life.filter((type) => type === 'died')).toHaveLength(11);
  expect(life.slice(-6)).toEqual([
    'died',
    'breaker_open',
    'breaker_half_open',
    'started',
    'ready',
    'breaker_closed',
  ]);
});
