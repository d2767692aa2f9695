import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Located } from '../../../src/main/backends/locate';
import { MlxBackend } from '../../../src/main/backends/mlx/mlx-backend';
import type { ModelFolder } from '../../../src/main/backends/mlx/mlx-options';
import { watchPreload } from '../../../src/main/core/memory';
import type { MemoryGate } from '../../../src/main/memory/memory-gate';
import type { MemoryMonitor } from '../../../src/main/memory/memory-monitor';
import { Emitter } from '../../../src/main/ports/emitter';
import { silentLogger } from '../../../src/main/ports/logger';
import { ChildRecords } from '../../../src/main/supervisor/sweep';
import { MLX } from '../../support/backends';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeProcessTable, FakeSpawner } from '../../support/fake-processes';
import { memLine } from '../../support/launcher-lines';
import { RecordedLife } from '../../support/recorded-life';

/** The server with a simulated process; test/integration uses the real one. */

const PYTHON: Located = { path: '/runtime/python' };
const IN_SETUP: Located = { absent: { code: 'setup', cure: 'It is being set up.', setup: true } };

const MEM = memLine();
const LISTENING = {
  event: 'listening',
  port: 4000,
  pid: 1000,
  version: '0.32.2',
  working_set: null,
  buffer: null,
};

let folder: string;
let clock: FakeClock;
let spawner: FakeSpawner;
let records: ChildRecords;
let located: Located;
let look: () => Promise<Located>;
let model: ModelFolder | null;
let admitted: (name: string) => boolean;
let posts: number;
let backend: MlxBackend;
let life: RecordedLife;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-mlx-'));
  clock = new FakeClock();
  spawner = new FakeSpawner();
  records = new ChildRecords(join(folder, 'children.json'));
  located = PYTHON;
  look = async () => located;
  model = null;
  admitted = () => true;
  posts = 0;
  life = new RecordedLife();
  backend = new MlxBackend(
    {
      instance: MLX,
      locate: () => look(),
      launchScript: 'launch.py',
      preload: async () => model,
      mayPreload: async (name) => admitted(name),
      ladder: { file: null, smallerModel: (name) => (name === 'large' ? 'small' : null), onRung: () => {} },
      resolveModel: async (name) => (name === 'small' ? join(folder, 'small') : folder),
      modelFacts: () => ({ vocabSize: null, contextLength: null }),
      listModels: async () => [],
      maxConcurrent: () => 1,
      env: {},
      fetcher: async () => new Response('{}'),
      // Accepts a request and never answers.
      post: (_url, { signal }) => {
        posts += 1;
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      instanceId: 'test',
    },
    { clock, spawner, table: new FakeProcessTable(), records, logger: silentLogger, observer: life },
  );
});

afterEach(async () => {
  await backend.stop();
  await records.settled();
  await rm(folder, { recursive: true, force: true });
});

function tells(event: Record<string, unknown>): Promise<void> {
  spawner.last.stdout.write(`${JSON.stringify(event)}\n`);
  return settle();
}

async function comesUp(): Promise<void> {
  await backend.start();
  await settle();
  await tells(LISTENING);
  await clock.advance(100);
  expect(backend.status()).toMatchObject({ state: 'ready', url: 'http://127.0.0.1:4000' });
}

test('a running server is present, although its runtime is being set up again', async () => {
  await comesUp();
  located = IN_SETUP;
  await backend.relocate();
  expect(backend.status()).toMatchObject({ state: 'ready', ownership: 'managed', absence: null });
});

test('a missing server shows its state as soon as its runtime is there', async () => {
  located = IN_SETUP;
  await backend.start();
  expect(backend.status()).toMatchObject({ state: 'absent', stage: 'setup' });
  located = PYTHON;
  await backend.relocate();
  await settle();
  expect(backend.status()).toMatchObject({ state: 'starting', absence: null });
});

test('one whose runtime is removed is absent, and returns when it is set up again', async () => {
  await comesUp();
  located = { absent: { code: 'runtime_removed', cure: 'Set it up again.' } };
  // The set-up reports the removal before the server is stopped.
  void backend.relocate();
  await backend.release();
  expect(backend.status()).toMatchObject({
    state: 'absent',
    pid: null,
    absence: { code: 'runtime_removed' },
  });
  await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'backend_absent' });
  located = PYTHON;
  await backend.relocate();
  await settle();
  expect(backend.status()).toMatchObject({ state: 'starting', absence: null });
  await tells(LISTENING);
  await clock.advance(100);
  expect(backend.status()).toMatchObject({ state: 'ready', url: 'http://127.0.0.1:4000' });
});

test.each(['start', 'relocate', 'restart'] as const)(
  'a look for its runtime (%s) that ends after the stop starts nothing',
  async (begins) => {
    if (begins !== 'start') {
      located = IN_SETUP;
      await backend.start();
    }
    const slow = Promise.withResolvers<Located>();
    look = () => slow.promise;
    void backend[begins]('test');
    await settle();
    await backend.stop();
    slow.resolve(PYTHON);
    await clock.advance(10_000);
    expect(spawner.children).toHaveLength(0);
    expect(backend.status().state).toBe('stopped');
    await backend.relocate();
    await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'mlx_down' });
    expect(spawner.children).toHaveLength(0);
  },
);

test('a runtime that disappeared is missing at the next start, and is not retried forever', async () => {
  await comesUp();
  located = { absent: { code: 'runtime_broken', cure: 'Set it up again.' } };
  spawner.last.exit(null, 'SIGKILL');
  await clock.advance(20_000);
  expect(backend.status()).toMatchObject({ state: 'absent', absence: { code: 'runtime_broken' } });
});

test('a load continues for 10 s and more when its client disconnects; a step that long is killed', async () => {
  await comesUp();
  const abort = new AbortController();
  const request = { id: 'r', model: 'm', messages: [{ role: 'user' as const, content: 'hi' }], sampling: {} };
  const chunk = backend.stream(request, abort.signal)[Symbol.asyncIterator]().next();
  chunk.catch(() => {});
  await expect.poll(() => backend.status().activeRequests).toBe(1);
  await tells({ event: 'sequence', id: 'r.0', state: 'queued', active: 0, queue: 1 });
  await tells({ ...MEM, loading: 1, queue: 1 });
  abort.abort();
  await clock.advance(30_000);
  expect(backend.status()).toMatchObject({ state: 'busy', stage: 'draining', draining: 1 });
  await tells({ ...MEM, sequences: 1 });
  await clock.advance(2_000);
  expect(spawner.last.signals).toContain('SIGKILL');
});

test('running out of memory restarts it smaller, finally not at all, and then again on request', async () => {
  model = { name: 'm', folder };
  await backend.start();
  await settle();
  const asked: string[] = [];
  for (let death = 0; death < 3; death += 1) {
    asked.push(
      spawner.specs
        .at(-1)
        ?.args.join(' ')
        .match(/--prompt-cache-bytes (\d+)/)?.[1] ?? '',
    );
    expect(backend.status()).toMatchObject({ ladder: { rung: death }, breaker: { state: 'closed' } });
    await tells({ event: 'loading', model: folder });
    await tells({ ...MEM, peak: 5e9 });
    spawner.last.stderr.write('libc++abi: [METAL] Command buffer execution failed: Insufficient Memory\n');
    await settle();
    spawner.last.exit(null, 'SIGABRT');
    await settle();
    expect(backend.status().lastError?.code).toBe('out_of_memory');
    await clock.advance(20_000);
  }
  expect(asked).toEqual(['1000000000', '128000000', '128000000']);
  expect(backend.status()).toMatchObject({
    state: 'open',
    breaker: { state: 'open', nextTryAt: null },
    ladder: { rung: 2, kind: 'context', climbsAt: null },
    lastError: { message: expect.stringContaining('even at its smallest') },
  });
  expect([backend.refuses('m', 4096), backend.refuses('m', 5000)]).toEqual([null, 'memory:smaller']);
  void backend.restart('test');
  await settle();
  expect(backend.status()).toMatchObject({ state: 'starting', ladder: { rung: 2 } });
  expect(spawner.children).toHaveLength(4);
  expect(spawner.specs.at(-1)?.env.TANDEM_MLX_MEMORY_BYTES).toBe('4500000000');
});

test('a cause that is found after the restart limits the start after it', async () => {
  model = { name: 'm', folder };
  await backend.start();
  await settle();
  await tells({ event: 'loading', model: folder });
  await tells({ ...MEM, peak: 5e9 });
  spawner.last.exit(null, 'SIGABRT');
  await settle();
  expect(backend.status()).toMatchObject({ lastError: { code: 'unknown' }, ladder: { rung: 0 } });
  await clock.advance(20_000);
  backend.explained('gpu_hang');
  expect(backend.status().ladder).toMatchObject({ rung: 0, prefillStepTokens: 64 });
  backend.explained('out_of_memory');
  expect(backend.status().ladder).toMatchObject({ rung: 1, prefillStepTokens: 64 });
  void backend.restart('test');
  await settle();
  await clock.advance(1000);
  const spec = spawner.specs.at(-1);
  expect(spec?.args.join(' ')).toMatch(/--prefill-step-size 64 .*--prompt-cache-bytes 128000000/);
  expect(spec?.env.TANDEM_MLX_MEMORY_BYTES).toBe('4500000000');
});

/** The process runs out of memory, and its next start follows. */
async function runsOut(): Promise<void> {
  spawner.last.stderr.write('libc++abi: [METAL] Command buffer execution failed: Insufficient Memory\n');
  await settle();
  spawner.last.exit(null, 'SIGABRT');
  await settle();
  await clock.advance(20_000);
}

test('a preload that is abandoned for lack of memory is not a manual restart: counters stay', async () => {
  model = { name: 'm', folder };
  await backend.start();
  await settle();
  await runsOut();
  await tells({ event: 'loading', model: folder });
  const before = backend.status();
  expect(before).toMatchObject({ state: 'starting', restarts: 1, ladder: { rung: 1 } });
  const sampled = new Emitter<void>();
  const machine = { onSample: sampled.subscribe } as unknown as MemoryMonitor;
  watchPreload(machine, { mustStopPreload: () => true } as unknown as MemoryGate, backend);
  admitted = () => false;
  sampled.emit();
  await settle();
  expect(spawner.specs).toHaveLength(3);
  expect(spawner.specs.at(-1)?.args).not.toContain(folder);
  expect(backend.status()).toMatchObject({ state: 'starting', restarts: 1, ladder: { rung: 1 } });
  expect(backend.status().lastError).toEqual(before.lastError);
  expect(life.types).toContain('preload_given_up');
  expect(life.types).not.toContain('restarted_by_user');
});

test('a stand-in for a large model requests its own size', async () => {
  model = { name: 'large', folder };
  await backend.start();
  await settle();
  for (let death = 0; death < 3; death += 1) await runsOut();
  expect(spawner.specs.at(-1)?.args).toContain(join(folder, 'small'));

  admitted = (name) => name === 'small';
  void backend.restart('test');
  await settle();
  await clock.advance(10_000);
  expect(spawner.specs).toHaveLength(5);
  expect(spawner.specs.at(-1)?.args).toContain(join(folder, 'small'));
});

test('without room in advance the rung stays, and an empty process costs none', async () => {
  model = { name: 'large', folder };
  await backend.start();
  await settle();
  await runsOut();
  expect(backend.status().ladder).toMatchObject({ rung: 1 });
  admitted = () => false;
  void backend.restart('test');
  await settle();
  await clock.advance(10_000);
  expect(spawner.specs.at(-1)?.args).not.toContain(folder);
  expect(backend.status().ladder).toMatchObject({ rung: 1 });
  await runsOut();
  expect(backend.status().ladder).toMatchObject({ rung: 1 });
});

test('a start is aborted when the probe gets no answer, and when the launcher is silent during a load', async () => {
  model = { name: 'm', folder };
  await backend.start();
  await settle();
  await tells(LISTENING);
  await tells({ event: 'loaded', model: folder, seconds: 1, active: 1 });
  await clock.advance(100);
  // Before the probe is sent, the model's folder is read from the real disk.
  await expect.poll(() => posts).toBe(1);
  expect(backend.status()).toMatchObject({ state: 'starting', stage: 'probing' });
  await clock.advance(29_000);
  expect(backend.status().state).toBe('starting');
  await clock.advance(1_000);
  expect(backend.status()).toMatchObject({ state: 'backoff', lastError: { code: 'start_failed' } });

  await clock.advance(6_000);
  await tells(LISTENING);
  await tells({ event: 'loading', model: folder });
  await clock.advance(29_000);
  expect(backend.status()).toMatchObject({ state: 'starting', stage: 'loading' });
  await clock.advance(2_000);
  expect(backend.status()).toMatchObject({ state: 'backoff', restarts: 1 });
});

test('memory that the system does not report is unknown, never 0', async () => {
  await comesUp();
  await tells(MEM);
  expect(backend.status().memoryBytes).toBeNull();
  await clock.advance(5000);
  await tells({ ...MEM, rss: 5_000_000, footprint: 0 });
  expect(backend.status().memoryBytes).toBe(5_000_000);
});
