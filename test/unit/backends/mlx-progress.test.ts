import { beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_HANG_LIMITS, limitsFor, patientLimits } from '../../../src/main/backends/mlx/hang-limits';
import { type MemEvent, parseLauncherLine } from '../../../src/main/backends/mlx/launcher-events';
import { LearnedSteps } from '../../../src/main/backends/mlx/learned-steps';
import { ProgressGuard } from '../../../src/main/backends/mlx/progress-guard';
import { Sequences } from '../../../src/main/backends/mlx/sequences';
import { FakeClock } from '../../support/fake-clock';
import { memLine } from '../../support/launcher-lines';

const figures = (change: Partial<MemEvent>): MemEvent => memLine(change);

describe('limits for a hang', () => {
  /** slowest step | heavy | limit of a step */
  const LIMITS: [number | null, boolean, number, boolean][] = [
    [null, false, 10_000, false],
    [null, true, 60_000, false],
    [50, false, 8_000, true],
    [50, true, 8_000, true],
    [2_667, false, 8_001, true],
    [9_000, true, 27_000, true],
  ];
  test.each(LIMITS)('slowest step %j, heavy %j: %i ms', (slowest, heavy, stepMs, learned) => {
    expect(limitsFor(slowest, heavy, DEFAULT_HANG_LIMITS)).toEqual({ silenceMs: 3_000, stepMs, learned });
  });

  test('patience stretches every wait', () => {
    const limits = patientLimits(4);
    expect(limits).toMatchObject({ silenceMs: 12_000, drainMs: 40_000 });
    expect(limitsFor(null, false, limits)).toEqual({ silenceMs: 12_000, stepMs: 40_000, learned: false });
    expect(limitsFor(20_000, false, limits)).toMatchObject({ stepMs: 60_000 });
  });

  test('nothing is learned before a whole piece of a prompt was one step', () => {
    const steps = new LearnedSteps();
    steps.learn('m', 20, 0);
    steps.learn('m', 90, 12);
    expect(steps.slowestMs('m')).toBeNull();
    steps.learn('m', 700, 128);
    steps.learn('m', 20, 0);
    expect(steps.slowestMs('m')).toBe(700);
    steps.learn('m', 900, 0);
    expect([steps.slowestMs('m'), steps.slowestMs('other')]).toEqual([900, null]);
  });
});

describe('hang by token progress', () => {
  let clock: FakeClock;
  let sequences: Sequences;
  let guard: ProgressGuard;
  let hangs: string[];
  let stepMs: number;

  beforeEach(() => {
    clock = new FakeClock();
    hangs = [];
    stepMs = 8_000;
    sequences = new Sequences(clock, () => guard.onSequences());
    guard = new ProgressGuard({
      clock,
      sequences,
      limits: DEFAULT_HANG_LIMITS,
      limitsNow: () => ({ silenceMs: 3_000, stepMs, learned: true }),
      onHung: (hang) => hangs.push(hang),
    });
  });

  function started(id: string): void {
    sequences.begin(id);
    for (const state of ['queued', 'started'] as const) told(id, state);
  }
  function told(id: string, state: 'queued' | 'started' | 'ended'): void {
    const event = { event: 'sequence', id, state, active: 1, queue: 0 } as const;
    guard.onLauncher(event);
    sequences.onSequence(event);
  }
  /** One line per second for this many seconds. */
  async function lines(seconds: number, line: (second: number) => Partial<MemEvent>): Promise<void> {
    for (let second = 1; second <= seconds && hangs.length === 0; second += 1) {
      guard.onLauncher(figures(line(second)));
      await clock.advance(1000);
    }
  }

  test('moving steps are progress, however long the prompt', async () => {
    started('a');
    await lines(600, (second) => {
      sequences.ask('a');
      return { steps: Math.floor(second / 7), sequences: 1, stuck: second % 7, doing: 'prefill' };
    });
    expect(hangs).toEqual([]);
  });

  test('a step that exceeds its limit is a hang', async () => {
    started('a');
    await lines(8, (second) => ({ steps: 7, sequences: 1, stuck: second, doing: 'prefill' }));
    expect(hangs).toEqual([]);
    await lines(2, (second) => ({ steps: 7, sequences: 1, stuck: 8 + second, doing: 'prefill' }));
    expect(hangs).toEqual(['step']);
  });

  test('three seconds without a line while a request waits are a hang', async () => {
    started('a');
    await clock.advance(3_000);
    expect(hangs).toEqual([]);
    await clock.advance(1_000);
    expect(hangs).toEqual(['silent']);
  });

  test('a silent server that computes only for a disconnected client hangs too', async () => {
    started('a');
    sequences.leave('a');
    await clock.advance(4_000);
    expect(hangs).toEqual(['silent']);
  });

  test('an idle server never hangs, and costs no timer', async () => {
    expect(clock.pending).toBe(0);
    started('a');
    sequences.end('a');
    await clock.advance(10_000_000);
    expect([hangs, clock.pending]).toEqual([[], 0]);
  });

  test('a model load is no hang before its own limit', async () => {
    sequences.begin('a');
    told('a', 'queued');
    await lines(600, (second) => ({ loading: second, queue: 1 }));
    expect(hangs).toEqual([]);
    await lines(2, (second) => ({ loading: 600 + second, queue: 1 }));
    expect(hangs).toEqual(['load']);
  });

  test('during a load the launcher may be silent for longer, but not forever', async () => {
    sequences.begin('a');
    guard.onLauncher(figures({ loading: 1, queue: 1 }));
    await clock.advance(30_000);
    expect(hangs).toEqual([]);
    await clock.advance(1_000);
    expect(hangs).toEqual(['silent']);
  });

  test('tokenizing a long prompt may take a minute', async () => {
    sequences.begin('a');
    told('a', 'queued');
    await lines(59, (second) => ({ queue: 1, stuck: second, doing: 'preparing' }));
    expect(hangs).toEqual([]);
    await lines(3, (second) => ({ queue: 1, stuck: 59 + second, doing: 'preparing' }));
    expect(hangs).toEqual(['step']);
  });

  test.each([
    ['does not even see', () => sequences.begin('a')],
    ['has lost in its queue', () => [sequences.begin('a'), told('a', 'queued')]],
  ])('a request that the server %s is a hang', async (_what, arrange) => {
    arrange();
    await lines(11, () => ({}));
    expect(hangs).toEqual([]);
    await lines(3, () => ({}));
    expect(hangs).toEqual(['no_progress']);
  });

  test('an answer that is fully computed but not delivered is a hang after three seconds', async () => {
    started('a');
    await lines(5, (second) => ({ steps: second, sequences: 1 }));
    told('a', 'ended');
    await lines(2, () => ({ steps: 5 }));
    sequences.handOver('a');
    sequences.ask('a');
    await lines(3, () => ({ steps: 5 }));
    expect(hangs).toEqual([]);
    await lines(1, () => ({ steps: 5 }));
    expect(hangs).toEqual(['no_frames']);
  });

  test('a fully computed answer may wait while the next model loads, and again after a sleep', async () => {
    started('a');
    told('a', 'ended');
    await lines(20, (second) => ({ loading: second }));
    expect(hangs).toEqual([]);
    guard.onLauncher(figures({ loading: 0 }));
    sequences.handOver('a');
    sequences.ask('a');
    clock.sleepThrough(3_600_000);
    await lines(3, () => ({}));
    expect(hangs).toEqual([]);
  });

  test('steps whose output never arrives are a hang after three of the longest', async () => {
    started('a');
    await lines(24, (second) => ({ steps: second * 5, sequences: 1, doing: 'decode' }));
    expect(hangs).toEqual([]);
    await lines(2, (second) => ({ steps: 200 + second, sequences: 1, doing: 'decode' }));
    expect(hangs).toEqual(['no_frames']);
  });

  /** The output of an idle launcher: one line in ten seconds. */
  async function idle(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      if (second % 10 === 0) guard.onLauncher(figures({ steps: 9 }));
      await clock.advance(1000);
    }
  }
  function complete(id: string): void {
    started(id);
    sequences.handOver(id);
    told(id, 'ended');
  }

  test('a slow reader does not make the server hang, nor when it resumes', async () => {
    complete('a');
    await idle(609);
    sequences.ask('a');
    await clock.advance(1000);
    expect(hangs).toEqual([]);
  });

  test('a client that leaves a complete answer leaves nothing to compute', async () => {
    complete('a');
    await idle(9);
    sequences.leave('a');
    await idle(60);
    expect([hangs, sequences.draining, clock.pending]).toEqual([[], 0, 0]);
  });

  test('a request next to a slow reader has its own three seconds', async () => {
    complete('slow');
    await idle(9);
    sequences.begin('b');
    await clock.advance(3_000);
    expect(hangs).toEqual([]);
    await clock.advance(1_000);
    expect(hangs).toEqual(['silent']);
  });

  test('a server that falls silent during an answer hangs, although its client reads slowly', async () => {
    started('a');
    sequences.handOver('a');
    await clock.advance(4_000);
    expect(hangs).toEqual(['silent']);
  });

  test('after our own process stood still, all waits start over', async () => {
    started('a');
    guard.onLauncher(figures({ sequences: 1, stuck: 1 }));
    await clock.advance(1_000);
    clock.sleepThrough(3_600_000);
    await clock.advance(2_000);
    expect(hangs).toEqual([]);
    await lines(3, (second) => ({ steps: second, sequences: 1 }));
    expect(hangs).toEqual([]);
    await clock.advance(3_000);
    expect(hangs).toEqual(['silent']);
  });

  test('work for a disconnected client has its own limit', async () => {
    started('a');
    sequences.leave('a');
    await lines(10, (second) => ({ steps: second, sequences: 1 }));
    expect(hangs).toEqual([]);
    await lines(2, (second) => ({ steps: 20 + second, sequences: 1 }));
    expect(hangs).toEqual(['drain']);
  });

  test('several disconnecting clients do not extend the drain', async () => {
    started('0');
    for (let turn = 1; turn <= 5; turn += 1) {
      started(`${turn}`);
      sequences.leave(`${turn - 1}`);
      await lines(4, (second) => ({ steps: turn * 10 + second, sequences: 2 }));
      sequences.leave(`${turn}`);
      told(`${turn - 1}`, 'ended');
    }
    expect([hangs, sequences.draining]).toEqual([[], 1]);
    await lines(12, (second) => ({ steps: 100 + second, sequences: 1 }));
    expect(hangs).toEqual(['drain']);
  });

  test('with a slow model the drain may take as long as one of its steps', async () => {
    stepMs = 60_000;
    started('a');
    sequences.leave('a');
    await lines(60, (second) => ({ steps: second, sequences: 1 }));
    expect(hangs).toEqual([]);
    await lines(2, (second) => ({ steps: 70 + second, sequences: 1 }));
    expect(hangs).toEqual(['drain']);
  });
});

describe('sequences of disconnected clients', () => {
  let clock: FakeClock;
  let sequences: Sequences;
  let drained: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    sequences = new Sequences(clock, () => {});
    drained = false;
  });

  function event(id: string, state: 'queued' | 'started' | 'ended') {
    sequences.onSequence({ event: 'sequence', id, state, active: 0, queue: 0 });
  }
  async function wait() {
    void sequences.drained().then(() => {
      drained = true;
    });
    await clock.advance(0);
  }

  test('are drained when the server has ended them, whatever other sequences do', async () => {
    sequences.begin('a');
    sequences.begin('b');
    event('a', 'started');
    event('b', 'queued');
    sequences.leave('a');
    await wait();
    expect([sequences.open, sequences.draining, drained]).toEqual([1, 1, false]);
    event('b', 'ended');
    await clock.advance(0);
    expect(drained).toBe(false);
    event('a', 'ended');
    await clock.advance(0);
    expect([sequences.draining, drained]).toEqual([0, true]);
  });

  test('a request that never arrived is forgotten after a moment', async () => {
    sequences.begin('a');
    sequences.leave('a');
    await wait();
    expect(drained).toBe(false);
    await clock.advance(1000);
    expect(drained).toBe(true);
  });

  test('figures of an idle server replace a lost line', async () => {
    sequences.begin('a');
    event('a', 'started');
    sequences.leave('a');
    await wait();
    sequences.onFigures(figures({ sequences: 0, queue: 0 }));
    await clock.advance(0);
    expect(drained).toBe(true);
  });

  test('nothing survives the process', async () => {
    sequences.begin('a');
    event('a', 'started');
    sequences.leave('a');
    await wait();
    sequences.clear();
    await clock.advance(0);
    expect([sequences.draining, drained]).toEqual([0, true]);
  });

  test('an answer that was read to its end drains nothing', () => {
    sequences.begin('a');
    event('a', 'started');
    sequences.end('a');
    sequences.leave('a');
    expect([sequences.open, sequences.draining]).toEqual([0, 0]);
  });
});

test("lines that are not the launcher's are skipped", () => {
  expect(
    parseLauncherLine(
      '{"event":"listening","port":1,"pid":2,"version":"0.32.2","working_set":null,"buffer":null}',
    ),
  ).toMatchObject({
    port: 1,
  });
  for (const line of ['', 'hello', '{}', '{"event":"mem"}', '{"event":"sequence","id":"a"']) {
    expect(parseLauncherLine(line)).toBeNull();
  }
});
