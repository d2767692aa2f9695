import type { Clock } from '../ports/clock';
import { sleep } from '../ports/clock';

/** Cost of one replay; each accepted request earns 1. */
const COST = 5;
/** Earned per second at any load, so that a single request on a quiet machine never waits long. */
const PER_SECOND = 2.5;
/** Replays that may happen at once. */
const BURST = 20;

/**
 * A token bucket that keeps replays from doubling the load: over any period they are at most a fifth of the accepted
 * requests, plus one in two seconds, plus one burst.
 */
export class RetryBudget {
  readonly #clock: Clock;
  #tokens = BURST * COST;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.now();
  }

  /** A request was accepted. */
  earn(): void {
    this.#add(1);
  }

  /** Takes the cost of one replay; false when the budget is spent. */
  take(): boolean {
    const now = this.#clock.now();
    this.#add(((now - this.#at) / 1000) * PER_SECOND);
    this.#at = now;
    if (this.#tokens < COST) return false;
    this.#tokens -= COST;
    return true;
  }

  /** Waits until it can take the cost of one replay; rejects with the signal's reason as soon as it aborts. */
  async taken(signal: AbortSignal): Promise<void> {
    while (!this.take()) {
      await sleep(this.#clock, Math.max(1, ((COST - this.#tokens) / PER_SECOND) * 1000), signal);
    }
  }

  #add(tokens: number): void {
    this.#tokens = Math.min(BURST * COST, this.#tokens + tokens);
  }
}
