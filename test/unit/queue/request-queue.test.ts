import { describe, expect, it } from 'vitest';
import { RequestQueue } from '../../../src/main/queue/request-queue';
import type { Admitted, Place, QueueTicket, Slot, SlotWish } from '../../../src/main/queue/types';
import { PRIORITIES } from '../../../src/shared/domain';
import { FakeClock, settle } from '../../support/fake-clock';
import { seeded } from '../../support/seeded';

const WISH: SlotWish = {
  backend: 'mlx',
  model: 'm',
  category: 'fast',
  estimateMs: 10_000,
  waitMs: 300_000,
};

function setUp(options: { max?: number; maxDepth?: number } = {}) {
  const clock = new FakeClock();
  const queue = new RequestQueue({
    clock,
    slots: { mlx: 1, ollama: 1 },
    rateLimit: () => ({ max: options.max ?? 0, windowMs: 90_000 }),
    maxDepth: options.maxDepth,
  });
  let count = 0;
  const admit = (ticket: Partial<QueueTicket> = {}) =>
    queue.admit({ id: `r${count++}`, client: 'c', priority: 'medium', rateLimited: true, ...ticket });
  return { clock, queue, admit };
}

const never = new AbortController().signal;
const acquire = (admitted: Admitted, wish: Partial<SlotWish> = {}, signal = never) =>
  admitted.acquire({ ...WISH, ...wish }, () => {}, signal);

/** The two equations of `/queue/stats`, and that no part is negative. */
function expectBalanced(queue: RequestQueue) {
  const s = queue.stats();
  expect(s.received).toBe(s.accepted + s.rejected);
  expect(s.accepted).toBe(s.done + s.failed + s.cancelled + s.running + s.replaying + s.depth);
  expect(s.by_priority.high + s.by_priority.medium + s.by_priority.low).toBe(s.depth);
  for (const value of [s.depth, s.running, s.replaying, s.oldest_wait_ms])
    expect(value).toBeGreaterThanOrEqual(0);
}

describe('RequestQueue', () => {
  it('counts a request as waiting, running, replaying and done, one at a time', async () => {
    const { queue, admit } = setUp();
    const first = admit();
    expect(queue.stats()).toMatchObject({ accepted: 1, depth: 1, running: 0 });
    const slot = await acquire(first);
    expect(queue.stats()).toMatchObject({ depth: 0, running: 1, by_backend: { mlx: { running: 1 } } });
    slot.release();
    expect(queue.stats()).toMatchObject({ running: 0, replaying: 1 });
    const second = await acquire(first, { backend: 'ollama' });
    expect(queue.stats()).toMatchObject({ running: 1, replaying: 0 });
    second.release();
    first.settle({ kind: 'done' });
    first.settle({ kind: 'failed', code: 'internal' });
    expect(queue.stats()).toMatchObject({ done: 1, failed: 0, running: 0, replaying: 0, depth: 0 });
  });

  it('rejects beyond the rate limit with the time to wait, the UI excepted', () => {
    const { queue, admit } = setUp({ max: 1 });
    admit();
    expect(() => admit()).toThrow(expect.objectContaining({ code: 'rate_limited', retryAfterS: 90 }));
    admit({ client: 'ui', rateLimited: false });
    admit({ client: 'ui', rateLimited: false });
    expect(queue.stats()).toMatchObject({ received: 4, accepted: 3, rejected: 1 });
  });

  it('rejects when too many wait', async () => {
    const { queue, admit } = setUp({ maxDepth: 1 });
    const running = admit();
    await acquire(running);
    admit();
    expect(() => admit()).toThrow(expect.objectContaining({ code: 'queue_full', retryAfterS: 10 }));
    expect(queue.stats()).toMatchObject({ received: 3, rejected: 1, depth: 1 });
  });

  it('gives up a wait after its limit and says when to come back', async () => {
    const { clock, queue, admit } = setUp();
    await acquire(admit(), { estimateMs: 400_000 });
    const late = admit();
    const waiting = expect(acquire(late)).rejects.toMatchObject({ code: 'queue_timeout', retryAfterS: 100 });
    await clock.advance(300_000);
    await waiting;
    late.settle({ kind: 'failed', code: 'queue_timeout' });
    expect(queue.stats()).toMatchObject({ failed: 1, depth: 0, running: 1 });
    expect(clock.pending).toBe(0);
  });

  it('lets a cancelled wait vanish and serves the next', async () => {
    const { queue, admit } = setUp();
    const slot = await acquire(admit());
    const cancel = new AbortController();
    const gone = admit();
    const waiting = expect(acquire(gone, {}, cancel.signal)).rejects.toMatchObject({ name: 'AbortError' });
    const next = acquire(admit());
    cancel.abort();
    gone.settle({ kind: 'cancelled' });
    await waiting;
    slot.release();
    await next;
    expect(queue.stats()).toMatchObject({ cancelled: 1, running: 1, depth: 0 });
  });

  it('ends a wait whose request is settled by somebody else', async () => {
    const { queue, admit } = setUp();
    await acquire(admit());
    const other = admit();
    const waiting = expect(acquire(other)).rejects.toMatchObject({ code: 'cancelled' });
    other.settle({ kind: 'cancelled' });
    await waiting;
    expect(queue.stats()).toMatchObject({ cancelled: 1, by_backend: { mlx: { depth: 0 } } });
  });

  it('keeps a draining slot occupied though its request has ended', async () => {
    const { queue, admit } = setUp();
    const cancelled = admit();
    const slot = await acquire(cancelled);
    const drained = Promise.withResolvers<void>();
    slot.drain(drained.promise);
    slot.release();
    cancelled.settle({ kind: 'cancelled' });
    const next = acquire(admit());
    await settle();
    expect(queue.stats()).toMatchObject({
      depth: 1,
      running: 0,
      cancelled: 1,
      by_backend: { mlx: { draining: 1 } },
    });
    drained.reject(new Error('gone'));
    await next;
    expect(queue.stats()).toMatchObject({ depth: 0, running: 1, by_backend: { mlx: { draining: 0 } } });
  });

  it('tells each waiting request its place at once, and a quarter of a second after it changes', async () => {
    const { clock, queue, admit } = setUp();
    const slot = await acquire(admit());
    void acquire(admit({ priority: 'high' }));
    const places: Place[] = [];
    void admit().acquire(WISH, (place) => places.push(place), never);
    await settle();
    slot.release();
    await clock.advance(250);
    expect(places).toEqual([
      { position: 2, etaMs: 20_000 },
      { position: 1, etaMs: 9750 },
    ]);
    expect(queue.status().entries).toMatchObject([
      { id: 'r0', state: 'replaying', position: null },
      { id: 'r1', state: 'running', etaMs: 9750 },
      { id: 'r2', state: 'waiting', position: 1, etaMs: 9750 },
    ]);
  });

  it('tells changes once per turn', async () => {
    const { queue, admit } = setUp();
    let changes = 0;
    queue.onChange(() => {
      changes += 1;
    });
    for (let n = 0; n < 10; n += 1) admit();
    await settle();
    expect(changes).toBe(1);
  });

  it('grants waiting requests when slots are added', async () => {
    const { queue, admit } = setUp();
    await acquire(admit());
    const second = acquire(admit());
    queue.setSlots('mlx', 2);
    await second;
    expect(queue.stats()).toMatchObject({ running: 2, depth: 0 });
  });

  it.each([1, 2, 3])('keeps its counters balanced in a storm of events (seed %i)', async (seed) => {
    const { clock, queue, admit } = setUp({ max: 120, maxDepth: 40 });
    const random = seeded(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    interface Live {
      admitted: Admitted;
      slot: Slot | null;
      waiting: AbortController | null;
    }
    const live = new Set<Live>();
    const drains: (() => void)[] = [];
    let admittedCount = 0;
    let outcomes = 0;
    const finish = (one: Live, outcome: Parameters<Admitted['settle']>[0]) => {
      one.admitted.settle(outcome);
      live.delete(one);
      outcomes += 1;
    };
    const arrive = () => {
      try {
        const ticket = { priority: pick(PRIORITIES), client: pick(['a', 'b', 'c']) };
        live.add({ admitted: admit(ticket), slot: null, waiting: null });
        admittedCount += 1;
      } catch {
        expect(queue.stats().rejected).toBeGreaterThan(0);
      }
    };
    const moves: ((one: Live) => void)[] = [
      (one: Live) => {
        if (one.slot || one.waiting) return;
        const cancel = new AbortController();
        one.waiting = cancel;
        const wish = { backend: pick(['mlx', 'ollama'] as const), waitMs: 1000 + random() * 5000 };
        acquire(one.admitted, wish, cancel.signal).then(
          (slot) => {
            one.waiting = null;
            one.slot = slot;
          },
          (error) => {
            one.waiting = null;
            if (live.has(one)) finish(one, { kind: 'failed', code: String(error) });
          },
        );
      },
      (one: Live) => {
        one.slot?.release();
        one.slot = null;
      },
      (one: Live) => {
        if (!one.slot) return;
        one.slot.release();
        finish(one, { kind: 'done' });
      },
      (one: Live) => {
        one.slot?.drain(new Promise((resolve) => drains.push(resolve)));
        finish(one, { kind: 'cancelled' });
        one.waiting?.abort();
      },
    ];
    const world = [arrive, arrive, () => drains.shift()?.(), () => clock.advance(random() * 2000)];
    for (let step = 0; step < 1500; step += 1) {
      if (live.size === 0 || random() < 0.5) await pick(world)();
      else pick(moves)(pick([...live]));
      expectBalanced(queue);
    }
    for (const one of [...live]) finish(one, { kind: 'cancelled' });
    expectBalanced(queue);
    expect(queue.stats()).toMatchObject({ accepted: admittedCount, depth: 0, running: 0, replaying: 0 });
    expect(outcomes).toBeGreaterThan(100);
  });
});
