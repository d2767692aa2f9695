import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import { DEFAULT_LIMITS } from '../../../src/main/supervisor/limits';
import { Supervisor } from '../../../src/main/supervisor/supervisor';
import type { SupervisorOptions } from '../../../src/main/supervisor/supervisor-types';
import { ChildRecords } from '../../../src/main/supervisor/sweep';
import type { ExitCause } from '../../../src/shared/incidents';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeProcessTable, FakeSpawner } from '../../support/fake-processes';
import { RecordedLife } from '../../support/recorded-life';

let folder: string;
let clock: FakeClock;
let spawner: FakeSpawner;
let life: RecordedLife;
let records: ChildRecords;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-life-'));
  clock = new FakeClock();
  spawner = new FakeSpawner();
  life = new RecordedLife();
  records = new ChildRecords(join(folder, 'children.json'));
});
afterEach(async () => {
  await records.settled();
  await rm(folder, { recursive: true, force: true });
});

function create(options: Partial<SupervisorOptions> = {}): Supervisor {
  return new Supervisor(
    {
      kind: 'mlx',
      limits: () => DEFAULT_LIMITS,
      launch: async () => ({ command: 'server', args: [], env: {} }),
      onSpawn: () => {},
      probe: () => Promise.resolve(),
      readExit: () => ({ named: null, lines: [] }),
      mayStart: () => Promise.resolve(),
      ...options,
    },
    { clock, spawner, table: new FakeProcessTable(), records, logger: silentLogger, observer: life },
  );
}

async function up(options: Partial<SupervisorOptions> = {}): Promise<Supervisor> {
  const supervisor = create(options);
  void supervisor.start();
  await settle();
  return supervisor;
}

describe('the reported life', () => {
  test('a start, a death with its evidence, the restart, the end', async () => {
    const supervisor = await up({ readExit: () => ({ named: null, lines: ['metal_out_of_memory'] }) });
    await clock.advance(60_000);
    spawner.last.exit(null, 'SIGABRT');
    await clock.advance(5_000);
    await supervisor.stop();
    expect(life.types).toEqual([
      'started',
      'ready',
      'died',
      'restart_planned',
      'started',
      'ready',
      'stopped',
    ]);
    expect(life.moments[0]?.facts).toEqual({ pid: 1000 });
    expect(life.moments[2]).toEqual({
      type: 'died',
      cause: 'out_of_memory',
      facts: { restarts: 0, seconds: 60, signal: 'SIGABRT' },
    });
    expect(life.moments[3]?.facts).toEqual({ seconds: 5, restart: 1, of: 10 });
    expect(life.deaths).toMatchObject([
      { exit: { signal: 'SIGABRT' }, evidence: ['metal_out_of_memory'], uptimeMs: 60_000 },
    ]);
  });

  test('a stall is reported before the kill that it causes', async () => {
    const supervisor = await up();
    supervisor.reportHung();
    await settle();
    expect(life.types.slice(2)).toEqual(['stalled', 'died', 'restart_planned']);
    expect(life.deaths[0]?.cause).toBe('stalled');
  });

  test('a start that fails before a process exists is a death without one', async () => {
    await up({ launch: () => Promise.reject(new Error('no program')) });
    expect(life.types).toEqual(['died', 'restart_planned']);
    expect(life.deaths).toMatchObject([{ cause: 'start_failed', exit: null, uptimeMs: null }]);
  });

  test('a requested stop is no death', async () => {
    const supervisor = await up();
    await supervisor.restart();
    await supervisor.stop();
    expect(life.types).toEqual(['started', 'ready', 'restarted_by_user', 'started', 'ready', 'stopped']);
    expect(life.deaths).toEqual([]);
  });

  test('the breaker, from its opening to its closing', async () => {
    const fails = () => {
      spawner.last.exit(1);
      return new Promise<void>(() => {});
    };
    let probe = fails;
    await up({
      probe: (_signal, onStage) => {
        onStage('probing');
        return probe();
      },
    });
    await clock.advance(1_600_000);
    expect(life.types.slice(-2)).toEqual(['died', 'breaker_open']);
    expect(life.moments.at(-1)?.facts).toEqual({ seconds: 600 });
    probe = () => Promise.resolve();
    await clock.advance(600_000);
    expect(life.types.slice(-4)).toEqual(['breaker_half_open', 'started', 'ready', 'breaker_closed']);
  });

  test('a breaker that only the user can close has no retry time; after the button it closes on an answer', async () => {
    let named: ExitCause | null = 'runtime_broken';
    const broken = await up({ readExit: () => ({ named, lines: [] }) });
    spawner.last.exit(3);
    await settle();
    expect(life.moments.at(-1)).toEqual({ type: 'breaker_open', cause: 'runtime_broken', facts: {} });
    void broken.restart();
    await settle();
    spawner.last.exit(3);
    await settle();
    expect(life.types.slice(-5)).toEqual(['restarted_by_user', 'started', 'ready', 'died', 'breaker_open']);
    named = null;
    await broken.restart();
    expect(life.types.slice(-3)).toEqual(['restarted_by_user', 'started', 'ready']);
    broken.answered();
    broken.answered();
    expect(life.types.slice(-2)).toEqual(['ready', 'breaker_closed']);
    await broken.stop();
  });
});

describe('memory', () => {
  test('a restart waits until it is free, reports so, and again when it takes long', async () => {
    let allow = () => {};
    const asked: (ExitCause | null)[] = [];
    let enough = true;
    const supervisor = await up({
      readExit: () => ({ named: null, lines: ['metal_out_of_memory'] }),
      mayStart: (_signal, cause) => {
        asked.push(cause);
        return enough
          ? Promise.resolve()
          : new Promise((resolve) => {
              allow = resolve;
            });
      },
    });
    enough = false;
    spawner.last.exit(null, 'SIGABRT');
    await clock.advance(5_000 + DEFAULT_LIMITS.askMs);
    expect(life.moments.at(-1)).toMatchObject({ type: 'waiting_for_memory', cause: 'out_of_memory' });
    await clock.advance(DEFAULT_LIMITS.memoryWaitMs);
    expect(life.moments.at(-1)).toMatchObject({ type: 'waiting_for_memory', facts: { seconds: 300 } });
    await clock.advance(24 * 3_600_000);
    expect(supervisor.view()).toMatchObject({ state: 'starting', stage: 'waiting', restarts: 1, pid: null });
    expect(spawner.children).toHaveLength(1);
    allow();
    await settle();
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 1 });
    expect(asked).toEqual([null, 'out_of_memory']);
  });

  test('memory that is free at once causes no wait', async () => {
    await up();
    await clock.advance(DEFAULT_LIMITS.askMs);
    expect(life.types).toEqual(['started', 'ready']);
  });
});

describe('the report of an exit to its owner', () => {
  const outOfMemory = () => ({ named: null, lines: ['allocation_failed' as const] });

  test('is skipped when the stop was requested, whatever the log contains and whoever killed it', async () => {
    const causes: ExitCause[] = [];
    const mayRecover = (cause: ExitCause) => causes.push(cause) > 0;
    life.now = { pressure: 'critical', killerInFlight: false };
    const supervisor = await up({ readExit: outOfMemory, mayRecover });
    await supervisor.restart();
    spawner.last.obeys = ['SIGKILL'];
    const stop = supervisor.stop();
    await clock.advance(DEFAULT_LIMITS.graceMs);
    await stop;
    expect([spawner.children.length, causes]).toEqual([2, []]);
  });

  test('has the cause of a failed start; our own kill does not count as one by the system', async () => {
    const causes: ExitCause[] = [];
    let lines: ReturnType<typeof outOfMemory>['lines'] = [];
    const supervisor = create({
      probe: () => {
        spawner.last.obeys = ['SIGKILL'];
        return Promise.reject(new Error('no answer'));
      },
      readExit: () => ({ named: null, lines }),
      mayRecover: (cause) => causes.push(cause) > 0,
    });
    life.now = { pressure: 'critical', killerInFlight: false };
    void supervisor.start();
    await clock.advance(DEFAULT_LIMITS.graceMs);
    lines = ['allocation_failed'];
    await clock.advance(5_000 + DEFAULT_LIMITS.graceMs);
    expect(causes).toEqual(['killed', 'out_of_memory']);
    await supervisor.stop();
  });
});

describe('time', () => {
  test('a clock change in either direction changes no plan', async () => {
    const supervisor = await up();
    spawner.last.exit(1);
    await settle();
    clock.jump(-86_400_000);
    await clock.advance(4_999);
    expect(supervisor.view().state).toBe('backoff');
    clock.jump(10 * 86_400_000);
    await clock.advance(1);
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 1 });
    await clock.advance(DEFAULT_LIMITS.stableMs - 1);
    expect(supervisor.view().restarts).toBe(1);
    await clock.advance(1);
    expect(supervisor.view().restarts).toBe(0);
  });

  test('uptime is independent of the wall clock', async () => {
    await up();
    await clock.advance(2_000);
    clock.jump(-3_600_000);
    spawner.last.exit(1);
    await settle();
    expect(life.deaths[0]?.uptimeMs).toBe(2_000);
  });

  test('after a sleep it starts at once if it was waiting, and continues if it was running', async () => {
    const supervisor = await up();
    void supervisor.revive();
    await settle();
    expect(spawner.children).toHaveLength(1);
    spawner.last.exit(null, 'SIGKILL');
    await settle();
    // Timers slept with the machine; the wall clock did not.
    clock.jump(8 * 3_600_000);
    void supervisor.revive();
    await settle();
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 0 });
    expect(spawner.children).toHaveLength(2);
  });

  test('after a sleep a breaker does not extend its cool-down', async () => {
    let works = false;
    const supervisor = await up({
      probe: () => {
        if (works) return Promise.resolve();
        spawner.last.exit(1);
        return new Promise(() => {});
      },
    });
    await clock.advance(1_600_000);
    works = true;
    void supervisor.revive();
    await settle();
    expect(supervisor.view()).toMatchObject({ state: 'ready', restarts: 0, breaker: { state: 'closed' } });
  });
});
