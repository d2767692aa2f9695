import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type App, ask, until } from '../../support/app';
import { COUNTING, startCountingApp } from '../../support/counting-app';
import { Family } from '../../support/family';
import { rawRequest } from '../../support/gateway-fixture';
import { tempDir } from '../../support/temp-dir';

/** What other local programs can do to the servers of the built host, and what is left of the servers after it. */

describe("MLX's private port", () => {
  let app: App;
  let port: number;
  let pid: number | null | undefined;

  beforeAll(async () => {
    app = await startCountingApp();
    const { mlx } = (await app.health()).backends;
    port = Number(new URL(String(mlx?.url)).port);
    pid = mlx?.pid;
  });
  afterAll(async () => {
    await app?.stop();
    await app?.remove();
  });

  it.each<[string, Record<string, string>]>([
    ['nothing that says who it is', {}],
    ['a guess of the secret', { 'X-Tandem-Secret': 'guess' }],
    ['an empty secret', { 'X-Tandem-Secret': '' }],
    ['a foreign Host', { Host: 'evil.example' }],
    ['a foreign Origin', { Origin: 'https://evil.example' }],
  ])('answers 403 to a caller with %s, and its model stays', async (_name, headers) => {
    const body = JSON.stringify({ model: '/another/model', messages: [{ role: 'user', content: 'hi' }] });
    for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/models', '/health', '/']) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const answer = await rawRequest(port, path, headers, method, method === 'POST' ? body : '');
        expect({ method, path, status: answer.status }).toEqual({ method, path, status: 403 });
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
    }
    expect((await app.health()).backends.mlx).toMatchObject({ model: COUNTING, pid });
    expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });
});

describe('after kill -9 of the host', () => {
  it('both servers exit with their children, and the next start has its own', async () => {
    const dataDir = tempDir();
    const first = await startCountingApp({ dataDir });
    await ask(first.ready.gateway, 'hello', { model: `ollama/${COUNTING}` });
    const before = (await first.health()).backends;
    const family = new Family(Number(first.process.pid));
    await until(async () => family.size >= 3, 'MLX, Ollama and its runner seen');
    await first.kill();
    await until(async () => (await family.survivors()).length === 0, 'nothing of it is left');

    const second = await startCountingApp({ dataDir });
    onTestFinished(async () => void (await second.stop()));
    const after = await until(async () => {
      const { mlx, ollama } = (await second.health()).backends;
      return mlx?.state === 'ready' && ollama?.state === 'ready' && { mlx };
    }, 'both are ready');
    expect(after.mlx?.pid).not.toBe(before.mlx?.pid);
    expect(await ask(second.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });
});
