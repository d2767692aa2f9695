import { type Clock, sleep } from '../ports/clock';

/** What was missed is looked for again after this long, ms; until then the look that began last for it is the answer. */
const AGAIN_MS = 3_000;
/** Looks begin at least this far apart, ms, whatever is missed; who asks in between shares the next one. */
const APART_MS = 1_000;
/** What is remembered as missed; beyond it the oldest is forgotten. */
const MOST_MISSED = 1_000;

/**
 * Looks for models again when a request misses one. A look starts a process, so requests must not decide how many there
 * are: neither many for one name, nor each for another.
 */
export class SeldomLook {
  readonly #look: () => Promise<void>;
  readonly #clock: Clock;
  /** By what was missed, the oldest first. */
  readonly #missed = new Map<string, { at: number; done: Promise<void> }>();
  #next: Promise<void> | null = null;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** @param look never rejects */
  constructor({ look, clock }: { look: () => Promise<void>; clock: Clock }) {
    this.#look = look;
    this.#clock = clock;
  }

  /** Resolves when what is missed has been looked for: just now, or less than three seconds ago. Never rejects. */
  for(missed: string): Promise<void> {
    const now = this.#clock.now();
    const before = this.#missed.get(missed);
    if (before && now - before.at < AGAIN_MS) return before.done;
    this.#next ??= this.#begin(Math.max(0, this.#lastAt + APART_MS - now));
    this.#missed.delete(missed);
    this.#missed.set(missed, { at: now, done: this.#next });
    const [oldest] = this.#missed.keys();
    if (this.#missed.size > MOST_MISSED && oldest !== undefined) this.#missed.delete(oldest);
    return this.#next;
  }

  async #begin(waitMs: number): Promise<void> {
    // Who asks in the same moment shares this look also where nothing is waited for.
    await (waitMs > 0 ? sleep(this.#clock, waitMs) : undefined);
    this.#next = null;
    this.#lastAt = this.#clock.now();
    await this.#look();
  }
}
