import { resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { NO_SERVERS, startApp, until } from '../support/app';

const PRELOAD = resolve(import.meta.dirname, '../support/stray-rejection.mjs');

it('a rejection that nobody waits for is logged and does not end the host', async () => {
  const app = await startApp({ env: { ...NO_SERVERS, NODE_OPTIONS: `--import ${PRELOAD}` } });
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  app.process.kill('SIGUSR2');
  await until(async () => app.log().includes('unhandled_rejection'), 'it is logged');
  expect((await fetch(`${app.ready.gateway}/health`)).status).toBe(200);
  expect(app.process.exitCode).toBeNull();
});
