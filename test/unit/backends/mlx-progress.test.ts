import { beforeEach, describe, expect, test } from 'vitest';
import { type MemEvent, parseLauncherLine } from '../../../src/main/backends/mlx/launcher-events';
import { ProgressWatch } from '../../../src/main/backends/mlx/progress-watch';
import { Sequences } from '../../../src/main/backends/mlx/sequences';
import { FakeClock } from '../../support/fake-clock';

function figures(change: Partial<MemEvent>): MemEvent {
  return {
    event: 'mem',
    active: 0,
    cache: 0,
    peak: 0,
    rss: 0,
    footprint: 0,
    steps: 0,
    stuck: 0,
    loading: 0,
    sequences: 0,
    queue: 0,
    ...change,
  };
}

describe('hang by token progress', () => {
  const watch = () => new ProgressWatch({ noProgressMs: 60_000, loadMs: 600_000 });

  test('steps that move are progress, however slow', () => {
    const slow = watch();
    expect(slow.hung(0, 1)).toBe(false);
    for (let minute = 0; minute < 30; minute += 1) {
      slow.onFigures(figures({ steps: minute, sequences: 1, stuck: 50 }), minute * 59_000);
      expect(slow.hung(minute * 59_000 + 58_000, 1)).toBe(false);
    }
  });

  test('a step that does not end is a hang', () => {
    const stuck = watch();
    for (let second = 0; second <= 61; second += 1) {
      stuck.onFigures(figures({ steps: 7, sequences: 1, stuck: second }), second * 1000);
      expect(stuck.hung(second * 1000, 1)).toBe(second > 60);
    }
  });

  test('silence while somebody waits is a hang', () => {
    const silent = watch();
    expect(silent.hung(0, 1)).toBe(false);
    expect(silent.hung(60_001, 1)).toBe(true);
  });

  test('an idle server never hangs', () => {
    const idle = watch();
    expect([idle.hung(0, 0), idle.hung(10_000_000, 0), idle.hung(10_000_001, 1)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('a model load has its own limit', () => {
    const loading = watch();
    expect(loading.hung(0, 1)).toBe(false);
    loading.onFigures(figures({ loading: 1, queue: 1 }), 0);
    expect([loading.hung(599_000, 1), loading.hung(600_001, 1)]).toEqual([false, true]);
  });

  test('a request that the server does not even see is a hang', () => {
    const deaf = watch();
    expect(deaf.hung(0, 1)).toBe(false);
    for (let second = 0; second <= 60; second += 10) deaf.onFigures(figures({}), second * 1000);
    expect(deaf.hung(60_001, 1)).toBe(true);
  });
});

describe('sequences of callers who left', () => {
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

  test('are drained when the server has ended them, whatever others do', async () => {
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

  test('figures that show an idle server make up for a lost line', async () => {
    sequences.begin('a');
    event('a', 'started');
    sequences.leave('a');
    await wait();
    sequences.onFigures(figures({ sequences: 0, queue: 0 }));
    await clock.advance(0);
    expect(drained).toBe(true);
  });

  test('nothing outlives the process', async () => {
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
  expect(parseLauncherLine('{"event":"listening","port":1,"pid":2,"version":"0.32.2"}')).toMatchObject({
    port: 1,
  });
  for (const line of ['', 'hello', '{}', '{"event":"mem"}', '{"event":"sequence","id":"a"']) {
    expect(parseLauncherLine(line)).toBeNull();
  }
});
