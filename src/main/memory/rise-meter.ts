import type { MemoryStatus } from '../../shared/status';
import { risingBetween } from './ledger';

/** Over a shorter time, noise looks like a fast rise. */
const RATE_OVER_MS = 1000;

/** Measures how fast programs other than the servers take memory. */
export class RiseMeter {
  /** The sample to compare with; `loadingBytes` = outstanding bytes of loads then, plus loads begun since. */
  #base: { status: MemoryStatus; at: number; loadingBytes: number } | null = null;
  #bytesPerS = 0;

  /** The last measured rate in bytes per second; 0 before the second sample. */
  bytesPerS(): number {
    return this.#bytesPerS;
  }

  /**
   * @param at `Clock.now` in ms of the sample
   * @param loadingBytes bytes of loads that have not arrived yet (`Account`)
   */
  sample(status: MemoryStatus, at: number, loadingBytes: number): void {
    const base = this.#base;
    if (base && at - base.at < RATE_OVER_MS) return;
    const arrived = base ? base.loadingBytes - loadingBytes : 0;
    this.#bytesPerS = base ? risingBetween(base.status, status, (at - base.at) / 1000, arrived) : 0;
    this.#base = { status, at, loadingBytes };
  }

  /** A load has begun that will take `bytes`. */
  loadBegun(bytes: number): void {
    if (this.#base) this.#base.loadingBytes += bytes;
  }

  /** A load ended: bytes that it never used are not subtracted from the measured growth. */
  loadEnded(bytes: number): void {
    if (this.#base) this.#base.loadingBytes -= bytes;
  }
}
