import type { MemoryStatus } from '../../shared/status';
import { risingBetween } from './ledger';

/** Over less than this, noise looks like a fast rise. */
const RATE_OVER_MS = 1000;

/** Measures how fast other programs than the servers take memory. */
export class RiseMeter {
  /**
   * The sample that the next one is compared with; and what loads had to bring then, with those that have begun since.
   */
  #base: { status: MemoryStatus; at: number; loadingBytes: number } | null = null;
  #bytesPerS = 0;

  /** Bytes per second as measured last; 0 before the second sample. */
  bytesPerS(): number {
    return this.#bytesPerS;
  }

  /**
   * @param at `Clock.now` in ms of the sample
   * @param loadingBytes what loads have still to bring (`Account`)
   */
  sample(status: MemoryStatus, at: number, loadingBytes: number): void {
    const base = this.#base;
    if (base && at - base.at < RATE_OVER_MS) return;
    const arrived = base ? base.loadingBytes - loadingBytes : 0;
    this.#bytesPerS = base ? risingBetween(base.status, status, (at - base.at) / 1000, arrived) : 0;
    this.#base = { status, at, loadingBytes };
  }

  /** A load has begun that will bring so much. */
  loadBegun(bytes: number): void {
    if (this.#base) this.#base.loadingBytes += bytes;
  }

  /** What a load that ended had still to bring has not come, and is not taken off a rise as if it had. */
  loadEnded(bytes: number): void {
    if (this.#base) this.#base.loadingBytes -= bytes;
  }
}
