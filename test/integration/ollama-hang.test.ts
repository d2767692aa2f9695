import { expect, it, onTestFinished } from 'vitest';
import { ask, until } from '../support/app';
import { CODE, startCountingApp } from '../support/counting-app';
import { signalAll } from '../support/processes';

it('a server of ours that is stopped during work is restarted, and no client gets an error', async () => {
  const app = await startCountingApp({ env: { TANDEM_RESTART_BACKOFF: '0.2', TANDEM_HANG_PATIENCE: '1' } });
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  const ollama = async () => (await app.health()).backends.ollama;
  const before = await ollama();
  expect(await ask(app.ready.gateway, CODE)).toMatchObject({ status: 200, backend: 'ollama' });
  const requests = Array.from({ length: 6 }, () => ask(app.ready.gateway, CODE));
  signalAll([Number(before?.pid)], 'SIGSTOP');
  const answers = await Promise.all(requests);
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
  await until(async () => {
    const now = await ollama();
    return now?.state === 'ready' && now.pid !== before?.pid;
  }, 'Ollama ready again by itself');
  expect(await ask(app.ready.gateway, CODE)).toMatchObject({ status: 200, backend: 'ollama' });
});
