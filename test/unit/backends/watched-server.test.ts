import { expect, onTestFinished, test } from 'vitest';
import { OllamaApi } from '../../../src/main/backends/dialects/ollama/ollama-api';
import { WatchedServer } from '../../../src/main/backends/watch/watched-server';
import type { Fetcher } from '../../../src/main/ports/fetcher';
import { FakeClock } from '../../support/fake-clock';

/** The server answers, is silent until the caller aborts, is gone, or rejects. */
type Way = 'answers' | 'silent' | 'gone' | 'refuses';

function watch() {
  const server = { way: 'answers' as Way };
  const fetcher = (async (_url: string, init: RequestInit) => {
    if (server.way === 'answers') return Response.json({ version: '0.24.0' });
    if (server.way === 'refuses') return Response.json({ code: 'forbidden_host' }, { status: 403 });
    if (server.way === 'gone')
      throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    return new Promise((_, reject) => {
      init.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  }) as unknown as Fetcher;
  const told: string[] = [];
  const watched = new WatchedServer({
    api: new OllamaApi({
      url: 'http://127.0.0.1:11434',
      fetcher,
      post: () => Promise.reject(new Error('nobody asks')),
      instanceId: 'test',
    }),
    clock: new FakeClock(),
    instanceId: 'test',
    refuseTandem: true,
    everyMs: 5000,
    timeoutMs: 5,
    onUp: (version) => told.push(`up ${version}`),
    onDown: (error) => told.push(`down ${error.code}`),
  });
  onTestFinished(() => watched.stop());
  return { server, watched, told };
}

test('a server that misses one check is still there; two silences in a row mean that it is gone', async () => {
  const { server, watched, told } = watch();
  await watched.start();
  for (const way of ['silent', 'answers', 'silent', 'answers'] as const) {
    server.way = way;
    expect(await watched.check()).toBe(true);
  }
  server.way = 'silent';
  expect(await watched.check()).toBe(true);
  expect(await watched.check()).toBe(false);
  expect(told).toEqual(['up 0.24.0', 'down cancelled']);
});

test('another Tandem that does not accept the name in its address causes an error with the cure', async () => {
  const { server, watched, told } = watch();
  server.way = 'refuses';
  expect(await watched.start()).toBe(false);
  expect(told).toEqual(['down forbidden_host']);
});

test('a server that refuses connections is gone at once', async () => {
  const { server, watched, told } = watch();
  await watched.start();
  server.way = 'gone';
  expect(await watched.check()).toBe(false);
  server.way = 'answers';
  expect(await watched.check()).toBe(true);
  expect(told).toEqual(['up 0.24.0', 'down ollama_down', 'up 0.24.0']);
});
