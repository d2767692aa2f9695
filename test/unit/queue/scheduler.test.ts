import { describe, expect, it } from 'vitest';
import { Scheduler, type SchedulerEffect } from '../../../src/main/queue/scheduler';
import { type BackendId, PRIORITIES, type Priority } from '../../../src/shared/domain';

interface Arrival {
  id: string;
  priority?: Priority;
  client?: string;
  backend?: BackendId;
  model?: string;
  estimateMs?: number;
  loadMs?: number;
}

function setUp(slots: Partial<Record<BackendId, number>> = {}) {
  const scheduler = new Scheduler({ mlx: 1, ollama: 1, ...slots });
  const order: string[] = [];
  let now = 0;
  const note = (effects: readonly SchedulerEffect[]) =>
    void order.push(...effects.map((effect) => effect.id));
  return {
    order,
    scheduler,
    at: (ms: number) => {
      now = ms;
    },
    arrive: (...arrivals: Arrival[]) => {
      for (const arrival of arrivals) {
        const defaults = {
          priority: 'medium',
          client: 'one',
          backend: 'mlx',
          estimateMs: 1000,
          loadMs: 0,
          model: 'm',
        } as const;
        note(scheduler.handle({ type: 'wait', at: now, ...defaults, ...arrival }));
      }
    },
    leave: (id: string) => note(scheduler.handle({ type: 'leave', at: now, id })),
    free: (id: string) => note(scheduler.handle({ type: 'free', at: now, id })),
    resize: (backend: BackendId, count: number) =>
      note(scheduler.handle({ type: 'capacity', at: now, backend, slots: count })),
    /** Frees the running slot until no request is granted. */
    drainAll: () => {
      for (let served = 0; served < order.length; served += 1) {
        note(scheduler.handle({ type: 'free', at: now, id: order[served] as string }));
      }
    },
  };
}

describe('Scheduler', () => {
  it('serves one client in order of arrival', () => {
    const { arrive, drainAll, order } = setUp();
    arrive({ id: 'a' }, { id: 'b' }, { id: 'c' });
    drainAll();
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('serves higher priorities first, in order of arrival within one', () => {
    const { arrive, drainAll, order } = setUp();
    arrive({ id: 'running' }, { id: 'low', priority: 'low' }, { id: 'medium' });
    arrive({ id: 'high1', priority: 'high' }, { id: 'high2', priority: 'high' });
    drainAll();
    expect(order).toEqual(['running', 'high1', 'high2', 'medium', 'low']);
  });

  it('serves a low request after four others went first', () => {
    const { arrive, drainAll, order } = setUp();
    arrive({ id: 'running' }, { id: 'low', priority: 'low' });
    for (let n = 1; n <= 6; n += 1) arrive({ id: `high${n}`, priority: 'high' });
    drainAll();
    expect(order).toEqual(['running', 'high1', 'high2', 'high3', 'high4', 'low', 'high5', 'high6']);
  });

  it('gives medium and low together every fifth turn, and low every fifth of those', () => {
    const { arrive, drainAll, order } = setUp();
    arrive({ id: 'running' }, { id: 'low', priority: 'low' });
    for (let n = 1; n <= 6; n += 1) arrive({ id: `medium${n}` });
    for (let n = 1; n <= 24; n += 1) arrive({ id: `high${n}`, priority: 'high' });
    drainAll();
    const others = order.flatMap((id, turn) => (id.startsWith('high') ? [] : [`${turn} ${id}`]));
    expect(others).toEqual([
      '0 running',
      ...['5 medium1', '10 medium2', '15 medium3', '20 medium4', '25 low'],
      ...['30 medium5', '31 medium6'],
    ]);
  });

  it('batches requests for the loaded model, and serves the one that is due after at most four others', () => {
    const { arrive, drainAll, order } = setUp();
    for (let n = 1; n <= 7; n += 1) arrive({ id: `a${n}`, model: 'a' }, { id: `b${n}`, model: 'b' });
    drainAll();
    expect(order.join(' ')).toBe('a1 a2 a3 a4 a5 b1 b2 b3 b4 b5 b6 b7 a6 a7');
  });

  it('skips the one that is due at most four times, however many clients want the loaded model', () => {
    const { arrive, drainAll, order } = setUp();
    arrive({ id: 'running', model: 'a' }, { id: 'due', client: 'due', model: 'b' });
    for (let n = 1; n <= 6; n += 1) arrive({ id: `a${n}`, client: `a${n}`, model: 'a' });
    drainAll();
    expect(order).toEqual(['running', 'a1', 'a2', 'a3', 'a4', 'due', 'a5', 'a6']);
  });

  it('lets no client benefit from the loaded model for long', () => {
    const { arrive, drainAll, order } = setUp();
    for (let n = 1; n <= 12; n += 1) arrive({ id: `a${n}`, model: 'a', client: 'a' });
    for (const client of ['b', 'c', 'd', 'e']) {
      const second = client === 'b' || client === 'd' ? 'a' : `${client}x`;
      arrive({ id: `${client}1`, model: client, client }, { id: `${client}2`, model: second, client });
    }
    drainAll();
    // Before c2 four of a's go first; before e2 its model is loaded again (by d2), but it has had its four.
    expect(order.join(' ')).toBe('a1 a2 a3 a4 a5 b1 c1 d1 e1 a6 b2 a7 a8 a9 a10 c2 d2 e2 a11 a12');
  });

  it('never batches high requests', () => {
    const { arrive, drainAll, order } = setUp();
    arrive({ id: 'running', model: 'a' });
    for (const [n, model] of ['b', 'a', 'b', 'a'].entries()) {
      arrive({ id: `high${n}`, priority: 'high', model });
    }
    drainAll();
    expect(order).toEqual(['running', 'high0', 'high1', 'high2', 'high3']);
  });

  it('alternates between clients of one priority', () => {
    const { arrive, drainAll, order } = setUp();
    arrive({ id: 'a1', client: 'a' }, { id: 'a2', client: 'a' }, { id: 'a3', client: 'a' });
    arrive({ id: 'b1', client: 'b' }, { id: 'b2', client: 'b' });
    drainAll();
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  it('grants no credit to a client that was away', () => {
    const { arrive, free, drainAll, order } = setUp();
    for (let n = 1; n <= 3; n += 1) arrive({ id: `a${n}`, client: 'a' });
    free('a1');
    free('a2');
    arrive({ id: 'b1', client: 'b' }, { id: 'b2', client: 'b' }, { id: 'a4', client: 'a' });
    drainAll();
    expect(order).toEqual(['a1', 'a2', 'a3', 'b1', 'a4', 'b2']);
  });

  it('keeps backends apart and uses every slot', () => {
    const { arrive, free, order } = setUp({ ollama: 2 });
    arrive({ id: 'm1' }, { id: 'm2' }, { id: 'o1', backend: 'ollama' }, { id: 'o2', backend: 'ollama' });
    arrive({ id: 'o3', backend: 'ollama' });
    expect(order).toEqual(['m1', 'o1', 'o2']);
    free('o2');
    expect(order).toEqual(['m1', 'o1', 'o2', 'o3']);
  });

  it('drops a request that leaves and continues with the next', () => {
    const { arrive, leave, drainAll, order } = setUp();
    arrive({ id: 'a' }, { id: 'b' }, { id: 'c' });
    leave('b');
    leave('never-came');
    drainAll();
    expect(order).toEqual(['a', 'c']);
  });

  it('grants at once when slots are added, and never takes one away', () => {
    const { arrive, resize, free, order } = setUp();
    arrive({ id: 'a' }, { id: 'b' }, { id: 'c' });
    resize('mlx', 2);
    expect(order).toEqual(['a', 'b']);
    resize('mlx', 1);
    free('a');
    expect(order).toEqual(['a', 'b']);
    free('b');
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('frees a slot once, however often it is released', () => {
    const { arrive, free, order } = setUp();
    arrive({ id: 'a' }, { id: 'b' }, { id: 'c' });
    free('a');
    free('a');
    expect(order).toEqual(['a', 'b']);
  });

  it('reports to all requests their place and the expected wait', () => {
    const { arrive, at, scheduler } = setUp({ mlx: 2 });
    arrive({ id: 'r1', estimateMs: 4000 }, { id: 'r2', estimateMs: 10_000 });
    arrive({ id: 'a', estimateMs: 3000 }, { id: 'b', priority: 'high' }, { id: 'c' });
    at(1000);
    expect(scheduler.waiting('mlx', 1000)).toEqual([
      { id: 'b', position: 1, etaMs: 3000 },
      { id: 'a', position: 2, etaMs: 4000 },
      { id: 'c', position: 3, etaMs: 7000 },
    ]);
  });

  it('expects one load for consecutive requests for the same model', () => {
    const { arrive, scheduler } = setUp();
    const [a, b] = [
      { model: 'a', estimateMs: 5000, loadMs: 3000 },
      { model: 'b', estimateMs: 5000, loadMs: 3000 },
    ];
    arrive({ id: 'r', ...a }, { id: 'b1', ...b }, { id: 'a1', ...a }, { id: 'b2', ...b }, { id: 'b3', ...b });
    const etas = scheduler.waiting('mlx', 1000).map(({ id, etaMs }) => [id, etaMs]);
    expect(etas).toEqual([
      ['a1', 4000],
      ['b1', 6000],
      ['b2', 11_000],
      ['b3', 13_000],
    ]);
  });

  it('expects for a new request one load of each model, not one for each request', () => {
    const { arrive, leave, scheduler } = setUp();
    const [a, b] = [
      { model: 'a', estimateMs: 5000, loadMs: 3000 },
      { model: 'b', estimateMs: 7000, loadMs: 6000 },
    ];
    arrive({ id: 'r', ...a }, { id: 'a1', ...a });
    for (let n = 0; n < 100; n += 1) arrive({ id: `b${n}`, ...b, priority: n < 50 ? 'medium' : 'low' });
    const etas = () => PRIORITIES.map((priority) => scheduler.etaMs('mlx', priority, 5000));
    expect(etas()).toEqual([0, 2000 + 50_000 + 6000, 2000 + 100_000 + 6000]);
    for (let n = 0; n < 100; n += 1) leave(`b${n}`);
    expect(etas()).toEqual([0, 2000, 2000]);
  });

  it('expects for a new request the time of the running ones and of those before it', () => {
    const { arrive, scheduler } = setUp();
    expect(scheduler.etaMs('mlx', 'low', 0)).toBe(0);
    arrive({ id: 'running', estimateMs: 4000 }, { id: 'medium', estimateMs: 3000 });
    arrive({ id: 'high', priority: 'high', estimateMs: 2000 }, { id: 'low', priority: 'low' });
    const expected = PRIORITIES.map((priority) => scheduler.etaMs('mlx', priority, 1000));
    expect(expected).toEqual([5000, 8000, 9000]);
  });
});
