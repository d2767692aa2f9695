import { describe, expect, it } from 'vitest';
import { RequestQueue } from '../../../src/main/queue/request-queue';
import type { Admitted, QueuePlace, QueueTicket, SlotWish } from '../../../src/main/queue/types';
import type { TandemError } from '../../../src/shared/errors';
import { FakeClock, settle } from '../../support/fake-clock';

const WISH: SlotWish = {
  backend: 'mlx',
  model: 'm',
  category: 'fast',
  estimateMs: 10_000,
  loadMs: 0,
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

  it('rejects above the rate limit with a retry time, except for the UI', () => {
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

  it('evicts the newest low request for a more urgent one when full', async () => {
    const { queue, admit } = setUp({ maxDepth: 3 });
    await acquire(admit({ client: 'a' }));
    const [first, newest] = [
      admit({ client: 'b', priority: 'low' }),
      admit({ client: 'c', priority: 'low' }),
    ];
    const reasons: TandemError[] = [];
    newest.onDismissed((reason) => reasons.push(reason));
    void acquire(first);
    const shed = expect(acquire(newest)).rejects.toMatchObject({ code: 'queue_full', retryAfterS: 40 });
    void acquire(admit({ client: 'd' }));
    expect(() => admit({ client: 'e', priority: 'low' })).toThrow(
      expect.objectContaining({ code: 'queue_full', retryAfterS: 40 }),
    );
    await acquire(admit({ client: 'f', priority: 'high' }), { backend: 'ollama' });
    await shed;
    newest.settle({ kind: 'cancelled' });
    expect(reasons).toMatchObject([{ code: 'queue_full' }]);
    expect(queue.stats()).toMatchObject({ accepted: 5, failed: 1, cancelled: 0, rejected: 1, depth: 2 });
    expectBalanced(queue);
  });

  it('sheds medium for high only when no low waits, and never an equal', async () => {
    const { queue, admit } = setUp({ maxDepth: 2 });
    const medium = admit({ client: 'a', priority: 'medium' });
    const codes: string[] = [];
    medium.onDismissed(({ code }) => codes.push(code));
    admit({ client: 'b', priority: 'high' });
    admit({ client: 'c', priority: 'high' });
    expect(codes).toEqual(['queue_full']);
    expect(() => admit({ client: 'd', priority: 'high' })).toThrow(
      expect.objectContaining({ code: 'queue_full' }),
    );
    expect(queue.stats()).toMatchObject({ failed: 1, rejected: 1, by_priority: { high: 2, medium: 0 } });
  });

  it('reserves room behind one client for the others', () => {
    const { queue, admit } = setUp({ maxDepth: 10 });
    for (let n = 0; n < 9; n += 1) admit({ client: `flood#${n}` });
    expect(() => admit({ client: 'flood' })).toThrow(expect.objectContaining({ code: 'queue_full' }));
    admit({ client: 'guest', priority: 'low' });
    expect(queue.stats()).toMatchObject({ depth: 10, rejected: 1 });
  });

  it('lets a client at its share evict its own requests, but no others while there is room', () => {
    const { queue, admit } = setUp({ maxDepth: 20 });
    for (let n = 0; n < 17; n += 1) admit({ client: 'flood' });
    const [own, guest] = [
      admit({ client: 'flood', priority: 'low' }),
      admit({ client: 'g', priority: 'low' }),
    ];
    const shed: string[] = [];
    own.onDismissed(() => shed.push('own'));
    guest.onDismissed(() => shed.push('guest'));
    admit({ client: 'flood' });
    expect(() => admit({ client: 'flood' })).toThrow(expect.objectContaining({ code: 'queue_full' }));
    expect(shed).toEqual(['own']);
    expect(queue.stats()).toMatchObject({ depth: 19, failed: 1, rejected: 1 });
  });

  it('cancels a waiting request by its id', async () => {
    const { queue, admit } = setUp();
    const slot = await acquire(admit());
    const waiting = expect(acquire(admit({ id: 'gone' }))).rejects.toMatchObject({ code: 'cancelled' });
    const next = acquire(admit());
    expect(queue.cancel('gone')).toBe(true);
    expect(queue.cancel('gone')).toBe(false);
    await waiting;
    slot.release();
    await next;
    expect(queue.stats()).toMatchObject({ cancelled: 1, running: 1, depth: 0 });
  });

  it('cancels a running request, and its slot drains until it is released', async () => {
    const { queue, admit } = setUp();
    const running = admit({ id: 'gone' });
    const slot = await acquire(running);
    const reasons: TandemError[] = [];
    running.onDismissed((reason) => reasons.push(reason));
    queue.cancel('gone');
    expect(reasons).toMatchObject([{ code: 'cancelled' }]);
    expect(queue.stats()).toMatchObject({ cancelled: 1, running: 0, by_backend: { mlx: { draining: 1 } } });
    slot.release();
    expect(queue.stats()).toMatchObject({ by_backend: { mlx: { draining: 0 } } });
  });

  it('distinguishes two requests with the same id', async () => {
    const { queue, admit } = setUp();
    await acquire(admit({ id: 'twin' }));
    const second = expect(acquire(admit({ id: 'twin' }))).rejects.toMatchObject({ code: 'cancelled' });
    await settle();
    const ids = queue.status().entries.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    queue.cancel(ids[1] ?? '');
    await second;
    expect(queue.stats()).toMatchObject({ running: 1, cancelled: 1, depth: 0 });
  });

  it('shows running requests and the first hundred of a long queue', async () => {
    const { queue, admit } = setUp();
    await acquire(admit());
    for (let n = 0; n < 300; n += 1) void acquire(admit({ priority: 'low' }));
    void acquire(admit({ id: 'urgent', priority: 'high' }));
    await settle();
    const { entries, stats } = queue.status();
    expect(entries.length).toBe(100);
    expect(entries.slice(0, 2)).toMatchObject([{ state: 'running' }, { id: 'urgent', position: 1 }]);
    expect(entries.slice(1).map(({ position }) => position)).toEqual(
      Array.from({ length: 99 }, (_, n) => n + 1),
    );
    expect(stats.depth).toBe(301);
  });

  it('reports to requests far behind only relevant changes', async () => {
    const { clock, queue, admit } = setUp();
    const slot = await acquire(admit());
    const told: number[][] = [];
    for (let n = 0; n < 300; n += 1) {
      const places: number[] = [];
      told.push(places);
      const waiting = admit({ id: `w${n}` }).acquire(WISH, ({ position }) => places.push(position), never);
      waiting.catch(() => {});
    }
    await settle();
    slot.release();
    await clock.advance(250);
    for (let n = 1; n <= 30; n += 1) queue.cancel(`w${n}`);
    await clock.advance(250);
    expect(told[50]).toEqual([51, 50, 20]);
    expect(told[250]).toEqual([251, 220]);
    expect(told[299]).toEqual([300, 269]);
  });

  it('ends a wait after its timeout with a retry time', async () => {
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

  it('removes a cancelled request and serves the next', async () => {
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

  it('ends a wait whose request is settled elsewhere', async () => {
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

  it('reports to each waiting request its place at once, and a quarter of a second after a change', async () => {
    const { clock, queue, admit } = setUp();
    const slot = await acquire(admit());
    void acquire(admit({ priority: 'high' }));
    const places: QueuePlace[] = [];
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

  it('reports changes once per turn', async () => {
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
});
