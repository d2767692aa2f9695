import { type Clock, sleep } from '../ports/clock';

/** A repeated miss of the same name starts a new scan after this long, ms; until then it shares the last one. */
const AGAIN_MS = 3_000;
/** Scans begin at least this far apart, ms, for any names; requests in between share the next one. */
const APART_MS = 1_000;
/** Limit of remembered names; beyond it the oldest is forgotten. */
const MOST_MISSED = 1_000;

/**
 * Scans again when a request misses a model. A scan starts a process, so requests must not control the number of scans:
 * neither by many requests for one name, nor by requests for many names.
 */
export class SeldomLook {
  readonly #look: () => Promise<void>;
  readonly #clock: Clock;
  /** By the missed name, the oldest first. */
  readonly #missed = new Map<string, { at: number; done: Promise<void> }>();
  #next: Promise<void> | null = null;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** @param look never rejects */
  constructor({ look, clock }: { look: () => Promise<void>; clock: Clock }) {
    this.#look = look;
    this.#clock = clock;
  }

  /** Resolves after a scan for this name, begun after this call or less than three seconds before. Never rejects. */
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
    // Awaits even without a delay, so that requests of the same moment share this scan.
    await (waitMs > 0 ? sleep(this.#clock, waitMs) : undefined);
    this.#next = null;
    this.#lastAt = this.#clock.now();
    await this.#look();
  }
}
