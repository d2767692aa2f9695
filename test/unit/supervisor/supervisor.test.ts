import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import { DEFAULT_LIMITS } from '../../../src/main/supervisor/limits';
import { Supervisor } from '../../../src/main/supervisor/supervisor';
import type { SupervisorOptions } from '../../../src/main/supervisor/supervisor-types';
import { ChildRecords } from '../../../src/main/supervisor/sweep';
import { TandemError } from '../../../src/shared/errors';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeProcessTable, FakeSpawner } from '../../support/fake-processes';

let folder: string;
let clock: FakeClock;
let spawner: FakeSpawner;
let records: ChildRecords;
let answer: () => Promise<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-supervisor-'));
  clock = new FakeClock();
  records = new ChildRecords(join(folder, 'children.json'));
  spawner = new FakeSpawner();
  answer = () => Promise.resolve();
});
afterEach(async () => {
  await records.settled();
  await rm(folder, { recursive: true, force: true });
});

const down = () => new TandemError('mlx_down', 'down');

function create(options: Partial<SupervisorOptions> = {}): Supervisor {
  return new Supervisor(
    {
      kind: 'mlx',
      limits: () => DEFAULT_LIMITS,
      launch: async () => ({ command: 'server', args: [], env: {} }),
      onSpawn: () => {},
      probe: (_signal, onStage) => {
        onStage('probing');
        return answer();
      },
      readExit: () => ({ named: null, lines: [] }),
      mayStart: () => Promise.resolve(),
      ...options,
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

function wanted(): Supervisor {
  const supervisor = create();
  void supervisor.start();
  return supervisor;
}

describe('supervisor', () => {
  test('is ready only after a successful probe', async () => {
    let release = () => {};
    answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const supervisor = wanted();
    const wait = supervisor.ensureReady(undefined, down);
    await settle();
    expect(supervisor.view()).toMatchObject({ state: 'starting', stage: 'probing', pid: 1000 });
    release();
    await wait;
    expect(supervisor.view()).toMatchObject({
      state: 'ready',
      readySince: clock.wall().getTime(),
      lastError: null,
    });
  });

  test('starts one process for any number of callers', async () => {
    const supervisor = wanted();
    await Promise.all(Array.from({ length: 5 }, () => supervisor.ensureReady(undefined, down)));
    expect(spawner.children).toHaveLength(1);
  });

  test('restarts after a crash, with backoff, and callers may wait for it', async () => {
    const supervisor = wanted();
    await supervisor.ensureReady(undefined, down);
    spawner.last.exit(null, 'SIGABRT');
    await settle();
    const planned = clock.wall().getTime() + 5000;
    expect(supervisor.view()).toMatchObject({
      state: 'backoff',
      nextStartAt: planned,
      lastError: { cause: 'unknown' },
    });
    const wait = supervisor.ensureReady(undefined, down);
    await clock.advance(4999);
    expect(spawner.children).toHaveLength(1);
    await clock.advance(1);
    await wait;
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 1, nextStartAt: null });
  });

  test('opens the breaker after ten restarts and wakes waiting callers; the button restarts it', async () => {
    const supervisor = wanted();
    answer = () => {
      spawner.last.exit(1);
      return new Promise(() => {});
    };
    const wait = supervisor.ensureReady(undefined, down).catch((error) => error.code);
    await clock.advance(1_600_000);
    expect(await wait).toBe('mlx_down');
    expect(spawner.children).toHaveLength(11);
    expect(supervisor.view()).toMatchObject({ state: 'open', restarts: 10, pid: null });
    expect(supervisor.view().breaker).toEqual({ state: 'open', nextTryAt: expect.any(Number) });
    await expect(supervisor.ensureReady(undefined, down)).rejects.toMatchObject({ code: 'mlx_down' });
    answer = () => Promise.resolve();
    await supervisor.restart();
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 0 });
  });

  test('an open breaker tries one start after its cool-down, and closes on a real answer', async () => {
    const supervisor = create();
    answer = () => {
      spawner.last.exit(1);
      return new Promise(() => {});
    };
    void supervisor.start();
    await clock.advance(1_600_000);
    const { nextTryAt } = supervisor.view().breaker;
    let release = () => {};
    answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await clock.advance(Number(nextTryAt) - clock.wall().getTime());
    expect(supervisor.view()).toMatchObject({
      state: 'starting',
      stage: 'probing',
      breaker: { state: 'half_open', nextTryAt: null },
    });
    const used = supervisor.ensureReady(undefined, down).then(() => supervisor.view());
    release();
    expect(await used).toMatchObject({ state: 'ready', restarts: 10, breaker: { state: 'closed' } });
    expect(spawner.children).toHaveLength(12);
  });

  test('a stable time resets the count of restarts', async () => {
    const supervisor = wanted();
    await supervisor.ensureReady(undefined, down);
    spawner.last.exit(1);
    await clock.advance(5000);
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 1 });
    await clock.advance(DEFAULT_LIMITS.stableMs);
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 0 });
  });

  test('a process that ignores TERM is killed after the grace, one that ignores KILL is abandoned', async () => {
    const supervisor = wanted();
    await supervisor.ensureReady(undefined, down);
    const child = spawner.last;
    child.obeys = [];
    let stopped = false;
    const stop = supervisor.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect([child.signals, supervisor.view().stage]).toEqual([['SIGTERM'], 'terminating']);
    await clock.advance(DEFAULT_LIMITS.graceMs);
    expect([child.signals, supervisor.view().stage]).toEqual([['SIGTERM', 'SIGKILL'], 'killing']);
    expect(stopped).toBe(false);
    await clock.advance(DEFAULT_LIMITS.giveUpMs);
    await stop;
    expect(supervisor.view().state).toBe('stopped');
  });

  test('a start that takes too long is killed and retried', async () => {
    answer = () => new Promise(() => {});
    const supervisor = create();
    void supervisor.start();
    await clock.advance(DEFAULT_LIMITS.startTimeoutMs);
    expect(spawner.last.signals[0]).toBe('SIGTERM');
    expect(supervisor.view()).toMatchObject({ state: 'backoff', lastError: { cause: 'start_timeout' } });
  });

  test('a hung process is killed at once', async () => {
    const supervisor = wanted();
    await supervisor.ensureReady(undefined, down);
    spawner.last.obeys = [];
    supervisor.reportHung();
    expect(supervisor.view()).toMatchObject({
      state: 'hung',
      stage: 'killing',
      lastError: { cause: 'stalled' },
    });
    expect(spawner.last.signals).toEqual(['SIGKILL']);
    spawner.last.exit(null, 'SIGKILL');
    await clock.advance(5000);
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 1, lastError: { outside: false } });
  });

  test('reports with the next death whether a hung process had been paused from outside', async () => {
    const supervisor = wanted();
    await supervisor.ensureReady(undefined, down);
    supervisor.reportHung(true);
    expect(supervisor.view().lastError).toMatchObject({ cause: 'stalled', outside: true });
    await clock.advance(5000);
    expect(supervisor.view()).toMatchObject({ state: 'ready', lastError: { outside: true } });
    spawner.last.exit(null, 'SIGABRT');
    await settle();
    expect(supervisor.view().lastError).toMatchObject({ cause: 'unknown', outside: false });
  });

  test('waits for memory before each start, and stop ends that wait', async () => {
    let allow = () => {};
    const supervisor = create({
      mayStart: () =>
        new Promise((resolve) => {
          allow = resolve;
        }),
    });
    void supervisor.start();
    await clock.advance(1000);
    expect(spawner.children).toHaveLength(0);
    await supervisor.stop();
    allow();
    await settle();
    expect(spawner.children).toHaveLength(0);
    expect(supervisor.view().state).toBe('stopped');
  });

  test('aborting a wait does not affect the process', async () => {
    answer = () => new Promise(() => {});
    const supervisor = wanted();
    const abort = new AbortController();
    const wait = supervisor.ensureReady(abort.signal, down);
    abort.abort();
    await expect(wait).rejects.toMatchObject({ code: 'cancelled' });
    await settle();
    expect(supervisor.view().state).toBe('starting');
  });

  test('a launch without a launch spec is a failed start', async () => {
    const supervisor = create({ launch: () => Promise.reject(new Error('no program')) });
    void supervisor.start();
    await settle();
    expect(supervisor.view()).toMatchObject({ state: 'backoff', lastError: { cause: 'start_failed' } });
  });

  test('restart works in every state and ends in ready', async () => {
    const supervisor = create();
    await supervisor.restart();
    expect(supervisor.view().state).toBe('ready');
    await supervisor.restart();
    expect([supervisor.view().state, spawner.children.length]).toEqual(['ready', 2]);
    spawner.last.exit(1);
    await settle();
    expect(supervisor.view().state).toBe('backoff');
    await supervisor.restart();
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 0 });
    const stopping = supervisor.stop();
    await supervisor.restart();
    await stopping;
    expect(supervisor.view().state).toBe('ready');
  });

  test('is not ready for a caller whose connection broke just before the exit is reported', async () => {
    const supervisor = wanted();
    await supervisor.ensureReady(undefined, down);
    const again = supervisor.connectionLost().then(() => supervisor.view().state);
    await settle();
    spawner.last.exit(null, 'SIGKILL');
    expect(await again).toBe('backoff');
  });

  test('stays ready when a connection broke and the process lives', async () => {
    const supervisor = wanted();
    await supervisor.ensureReady(undefined, down);
    const again = supervisor.connectionLost().then(() => supervisor.view().state);
    await clock.advance(1_000);
    expect(await again).toBe('ready');
  });
});
