import type { MemEvent } from './launcher-events';

export interface HangLimits {
  /** Ms without a new step while work is waiting or running. */
  noProgressMs: number;
  /** Ms that one model load may take. */
  loadMs: number;
}

export const DEFAULT_HANG_LIMITS: HangLimits = { noProgressMs: 30_000, loadMs: 600_000 };

/**
 * Tells a hung server from a slow one by its token progress: `/health` answers while generation is dead, and a slow
 * model still takes steps. Silence of the launcher counts as no progress.
 */
export class ProgressWatch {
  readonly #limits: HangLimits;
  #steps = -1;
  #since: number | null = null;
  #loading = false;

  constructor(limits: HangLimits) {
    this.#limits = limits;
  }

  /** A fresh process. */
  reset(): void {
    this.#steps = -1;
    this.#since = null;
    this.#loading = false;
  }

  /** Ms that work for callers who left may go on: a load is let finish, so that closing a client costs nobody else one. */
  drainLimitMs(otherwise: number): number {
    return this.#loading ? this.#limits.loadMs : otherwise;
  }

  onFigures(figures: MemEvent, now: number): void {
    const loading = figures.loading > 0;
    const moved = figures.steps !== this.#steps || loading !== this.#loading;
    this.#steps = figures.steps;
    this.#loading = loading;
    if (moved && this.#since !== null) this.#since = now;
  }

  /**
   * Asked at least whenever the number of waiting requests changes.
   * @param open requests of ours that are waiting for this server; work for callers who left has its own limit
   */
  hung(now: number, open: number): boolean {
    if (open === 0) {
      this.#since = null;
      return false;
    }
    this.#since ??= now;
    return now - this.#since > (this.#loading ? this.#limits.loadMs : this.#limits.noProgressMs);
  }
}
