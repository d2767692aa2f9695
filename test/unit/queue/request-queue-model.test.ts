import { describe, expect, it } from 'vitest';
import { RequestQueue } from '../../../src/main/queue/request-queue';
import type { Admitted, Outcome, Slot, SlotWish } from '../../../src/main/queue/types';
import { PRIORITIES, type Priority } from '../../../src/shared/domain';
import { FakeClock } from '../../support/fake-clock';
import { seeded } from '../../support/seeded';

const STEPS = 100_000;
const PLACES = 40;

/** A request as the test tracks it, independent of the queue. */
interface Live {
  id: string;
  priority: Priority;
  admitted: Admitted;
  cancel: AbortController | null;
  slot: Slot | null;
  /** Has it ever had a slot? */
  begun: boolean;
  outcome: Outcome['kind'] | null;
}

/** Random callers of one queue, and the expected counters. */
class World {
  readonly clock = new FakeClock();
  readonly queue: RequestQueue;
  readonly live = new Set<Live>();
  readonly ended = { done: 0, failed: 0, cancelled: 0 };
  readonly #random: () => number;
  readonly #drains: (() => void)[] = [];
  accepted = 0;
  rejected = 0;
  shed = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    const rateLimit = () => ({ max: 0, windowMs: 1 });
    this.queue = new RequestQueue({
      clock: this.clock,
      slots: { mlx: 1, ollama: 2 },
      rateLimit,
      maxDepth: PLACES,
    });
  }

  async step(): Promise<void> {
    const choice = this.#random();
    if (this.live.size === 0 || choice < 0.3) this.#arrive();
    else if (choice < 0.35) this.#drains.shift()?.();
    else if (choice < 0.36) this.queue.setSlots('ollama', 1 + this.#below(3));
    else if (choice < 0.37) await this.clock.advance(this.#random() * 2000);
    else this.#move(this.#pick([...this.live]));
    // Promises of this step settle before the next step.
    for (let turn = 0; turn < 3; turn += 1) await Promise.resolve();
  }

  /** The counters that follow from the callers' observations. */
  expected() {
    const open = [...this.live];
    const running = open.filter((one) => one.slot !== null).length;
    const depth = open.filter((one) => !one.begun).length;
    const replaying = open.length - running - depth;
    const { accepted, rejected } = this;
    return { ...this.ended, accepted, rejected, received: accepted + rejected, running, depth, replaying };
  }

  #arrive(): void {
    const id = `r${this.accepted + this.rejected}`;
    const priority = this.#pick(PRIORITIES);
    const ticket = { id, priority, client: this.#pick(['a', 'b', 'c', 'd']), rateLimited: false };
    try {
      const admitted = this.queue.admit(ticket);
      const one: Live = { id, priority, admitted, cancel: null, slot: null, begun: false, outcome: null };
      admitted.onDismissed(({ code }) => {
        if (code === 'queue_full') this.shed += 1;
        this.#ended(one, code === 'cancelled' ? 'cancelled' : 'failed');
      });
      this.accepted += 1;
      this.live.add(one);
    } catch {
      this.rejected += 1;
    }
  }

  #move(one: Live): void {
    const outcome = this.#pick(['done', 'failed', 'cancelled'] as const);
    if (this.#random() < 0.03) {
      this.queue.cancel(one.id);
    } else if (one.slot) {
      const { slot } = one;
      one.slot = null;
      if (this.#random() < 0.2) slot.drain(new Promise((resolve) => this.#drains.push(resolve)));
      else slot.release();
      // A slot is released once, whatever its holder does later.
      if (this.#random() < 0.5) slot.release();
      if (this.#random() < 0.7) this.#settle(one, outcome);
    } else if (!one.cancel) {
      if (this.#random() < 0.9) this.#acquire(one);
      else this.#settle(one, outcome);
    } else {
      const choice = this.#random();
      if (choice < 0.1) one.cancel.abort(new Error('left'));
      else if (choice < 0.13) this.#settle(one, outcome);
    }
  }

  #acquire(one: Live): void {
    const cancel = new AbortController();
    one.cancel = cancel;
    const wish: SlotWish = {
      backend: this.#pick(['mlx', 'ollama']),
      model: this.#pick(['m1', 'm2', 'm3']),
      category: 'fast',
      estimateMs: 1000,
      loadMs: 0,
      waitMs: 1000 + this.#random() * 5000,
    };
    one.admitted
      .acquire(wish, () => {}, cancel.signal)
      .then(
        (slot) => {
          one.cancel = null;
          one.begun = true;
          if (one.outcome) slot.release();
          else one.slot = slot;
        },
        () => {
          one.cancel = null;
        },
      );
  }

  #settle(one: Live, kind: Outcome['kind']): void {
    one.admitted.settle(kind === 'failed' ? { kind, code: 'internal' } : { kind });
    this.#ended(one, kind);
    // Later outcomes are ignored.
    one.admitted.settle({ kind: 'done' });
  }

  #ended(one: Live, kind: Outcome['kind']): void {
    expect(one.outcome).toBe(null);
    one.outcome = kind;
    one.slot?.release();
    this.ended[kind] += 1;
    this.live.delete(one);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

describe('RequestQueue as a model', () => {
  it('matches the counters of its callers in 100,000 random steps, and settles each request once', async () => {
    const world = new World(11);
    for (let step = 0; step < STEPS; step += 1) {
      await world.step();
      const stats = world.queue.stats();
      const expected = world.expected();
      const agrees = Object.entries(expected).every(
        ([key, value]) => stats[key as keyof typeof expected] === value,
      );
      if (!agrees || stats.depth > PLACES) expect({ step, ...stats }).toMatchObject({ step, ...expected });
      expect(stats.depth <= PLACES).toBe(true);
    }
    for (const one of [...world.live]) world.queue.cancel(one.id);
    await world.step();
    const { accepted, rejected, done, failed, cancelled } = world.queue.stats();
    expect(done + failed + cancelled).toBeGreaterThanOrEqual(accepted - 1);
    // The random run covered all outcomes.
    for (const count of [rejected, done, failed, cancelled, world.shed]) expect(count).toBeGreaterThan(500);
  });
});
