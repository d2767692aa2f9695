import { devNull } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { BackendRequest } from '../../../src/main/backends/backend';
import { OllamaBackend } from '../../../src/main/backends/ollama/ollama-backend';
import type { OllamaBackendOptions } from '../../../src/main/backends/ollama/ollama-options';
import { silentLogger } from '../../../src/main/ports/logger';
import { ChildRecords } from '../../../src/main/supervisor/sweep';
import { instanceOf, OLLAMA } from '../../support/backends';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeProcessTable, FakeSpawner } from '../../support/fake-processes';
import { ScriptedOllama, SILENCE, say, type Way } from '../../support/scripted-ollama';
import { tempDir } from '../../support/temp-dir';

const never = new AbortController().signal;
const LOADED: Way = { frames: [{ done: true, done_reason: 'load' }], last: 'end' };

let clock: FakeClock;
let spawner: FakeSpawner;
let records: ChildRecords;
beforeEach(() => {
  clock = new FakeClock();
  spawner = new FakeSpawner();
  records = new ChildRecords(join(tempDir(), 'children.json'));
});

/** Lets time pass until the condition is true; files take real time, during which the test's clock must stand still. */
async function passUntil(done: () => boolean): Promise<void> {
  while (!done()) {
    await records.settled();
    await clock.advance(500);
  }
}

const request: BackendRequest = {
  id: 'r',
  model: 'm',
  messages: [{ role: 'user', content: 'hello' }],
  sampling: {},
};

/** @param url of a server that Tandem did not start; null = one of ours */
function backend(server: ScriptedOllama, url: string | null, more: Partial<OllamaBackendOptions> = {}) {
  server.facts = { version: '0.24.0', ...server.facts };
  return new OllamaBackend(
    {
      instance: OLLAMA,
      url,
      candidates: [],
      locate: async () => ({ path: 'ollama' }),
      // Not writable, so that the port is chosen here and the server is queried for it.
      logFile: join(devNull, 'ollama.log'),
      env: {},
      fetcher: server.fetcher,
      post: server.post,
      instanceId: 'test',
      limits: { maxRestarts: 0 },
      ...more,
    },
    {
      clock,
      spawner,
      table: new FakeProcessTable(),
      records,
      logger: silentLogger,
    },
  );
}

async function answer(ollama: OllamaBackend): Promise<void> {
  for await (const _chunk of ollama.stream(request, never));
}

test('a server that is gone is down under the name of its instance', async () => {
  const server = new ScriptedOllama();
  const instance = instanceOf('studio');
  const studio = backend(server, 'http://127.0.0.1:9', { instance, setBy: 'moreBackends' });
  await studio.start();
  expect(studio.status().state).toBe('adopted');
  server.gone = true;
  const down = { code: 'backend_down', message: expect.stringMatching(/^studio does not answer/) };
  await expect(answer(studio)).rejects.toMatchObject(down);
  await expect(studio.models()).rejects.toMatchObject(down);
  await expect(studio.ensureReady()).rejects.toMatchObject(down);
  await expect(answer(studio)).rejects.toMatchObject(down);
  expect(studio.status().absence).toMatchObject({
    code: 'backend_down',
    cure: 'No Ollama answers at 127.0.0.1:9, which moreBackends names. Start it there, or unset the address.',
  });
  await studio.stop();
});

test('a breaker that no probe could close is closed only by an answer', async () => {
  const server = new ScriptedOllama(LOADED);
  const ollama = backend(server, null);
  const breaker = () => ollama.status().breaker.state;
  await ollama.start();
  await passUntil(() => ollama.status().state === 'ready');
  spawner.last.exit(1);
  await settle();
  expect(breaker()).toBe('open');
  await passUntil(() => ollama.status().state === 'ready');
  expect(breaker()).toBe('half_open');
  await answer(ollama);
  expect(breaker()).toBe('half_open');
  await answer(ollama);
  expect(breaker()).toBe('closed');
  await ollama.stop();
});

test.each([
  [
    'one of ours that falls silent is ended',
    null,
    ['/api/show', '/api/ps'],
    'ollama_down',
    'is started again',
    true,
  ],
  ['one of ours that goes on is left alone', null, ['/api/show'], 'backend_failed', 'did not say', false],
  [
    "somebody else's is left alone",
    'http://127.0.0.1:9',
    ['/api/show', '/api/ps'],
    'backend_failed',
    'did not say',
    false,
  ],
] as const)(
  'of a server that does not describe a model: %s',
  async (_name, url, silent, code, says, killed) => {
    const server = new ScriptedOllama();
    const ollama = backend(server, url);
    await ollama.start();
    await passUntil(() => ['ready', 'adopted'].includes(ollama.status().state));
    server.silent = silent;
    const refused = expect(answer(ollama)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
    await clock.advance(26_000);
    await refused;
    expect(server.asked).toEqual([]);
    expect(spawner.children.some(({ signals }) => signals.includes('SIGKILL'))).toBe(killed);
    await ollama.stop();
  },
);

test('a model that is listed during its load is ready with its first frame', async () => {
  const server = new ScriptedOllama(SILENCE, { frames: [say('hi')], last: 'silence' });
  const ollama = backend(server, 'http://127.0.0.1:9');
  await ollama.start();
  await settle();
  const isReady = () => ollama.loaded().map(({ ready }) => ready);
  const ask = () => {
    const leave = new AbortController();
    return { chunks: ollama.stream(request, leave.signal), leave };
  };
  const first = ask();
  const gone = expect(first.chunks.next()).rejects.toMatchObject({ code: 'cancelled' });
  await settle();
  server.loaded = [{ name: 'm:latest', size: 1000 }];
  await clock.advance(10_000);
  expect(isReady()).toEqual([false]);
  const second = ask();
  await second.chunks.next();
  expect(isReady()).toEqual([true]);
  first.leave.abort();
  await gone;
  await second.chunks.return(undefined);
  await ollama.stop();
});
