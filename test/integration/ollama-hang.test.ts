import { expect, it, onTestFinished } from 'vitest';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { ask, startApp, until } from '../support/app';

const STAND_IN = 'stand-in';
const CODE = 'Write a Python function that merges two sorted lists';

it('a server of ours that is stopped under work is started again, and nobody gets an error', async () => {
  const app = await startApp({
    env: { OLLAMA_MODEL_CODING: STAND_IN, TANDEM_RESTART_BACKOFF: '0.2', MLX_RATE_LIMIT_MAX: '0' },
  });
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  const ollama = async () => (await app.health()).backends.ollama;
  const before = await ollama();
  const created = await fetch(`${before?.url}/api/create`, {
    method: 'POST',
    body: JSON.stringify({ model: STAND_IN, from: SMALL_MODEL_NAME, stream: false }),
  });
  expect(created.status, await created.text()).toBe(200);
  expect(await ask(app.ready.gateway, CODE)).toMatchObject({ status: 200, backend: 'ollama' });
  const requests = Array.from({ length: 6 }, () => ask(app.ready.gateway, CODE));
  process.kill(Number(before?.pid), 'SIGSTOP');
  const answers = await Promise.all(requests);
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
  await until(async () => {
    const now = await ollama();
    return now?.state === 'ready' && now.pid !== before?.pid;
  }, 'Ollama ready again by itself');
  expect(await ask(app.ready.gateway, CODE)).toMatchObject({ status: 200, backend: 'ollama' });
}, 180_000);
