import type { Clock } from '../../ports/clock';
import type { MemEvent } from './launcher-events';
import { DEFAULT_HANG_LIMITS, type HangLimits, ProgressWatch } from './progress-watch';
import type { Sequences } from './sequences';

const WATCH_EVERY_MS = 1000;
const DRAIN_LIMIT_MS = 10_000;

export interface ProgressGuardOptions {
  clock: Clock;
  sequences: Sequences;
  hang: Partial<HangLimits> | undefined;
  /** Ms that a cancelled request may go on computing. */
  drainLimitMs: number | undefined;
  onHung(): void;
}

/** Looks after the process's progress while somebody waits for it, so that an idle server costs no timer. */
export class ProgressGuard {
  readonly #options: ProgressGuardOptions;
  readonly #watch: ProgressWatch;
  #stopWatch: (() => void) | null = null;
  #drainingSince: number | null = null;

  constructor(options: ProgressGuardOptions) {
    this.#options = options;
    this.#watch = new ProgressWatch({ ...DEFAULT_HANG_LIMITS, ...options.hang });
  }

  /** A fresh process. */
  reset(): void {
    this.#watch.reset();
  }

  onFigures(figures: MemEvent): void {
    this.#watch.onFigures(figures, this.#options.clock.now());
  }

  /** The number of waiting or draining sequences may have changed. */
  onSequences(): void {
    const { clock, sequences } = this.#options;
    const { open, draining } = sequences;
    this.#watch.hung(clock.now(), open);
    if (draining === 0) this.#drainingSince = null;
    else this.#drainingSince ??= clock.now();
    if (open + draining === 0) {
      this.#stopWatch?.();
      this.#stopWatch = null;
    } else {
      this.#stopWatch ??= clock.every(WATCH_EVERY_MS, () => this.#check());
    }
  }

  #check(): void {
    const { clock, sequences, drainLimitMs, onHung } = this.#options;
    const now = clock.now();
    const limit = this.#watch.drainLimitMs(drainLimitMs ?? DRAIN_LIMIT_MS);
    const drainHung = this.#drainingSince !== null && now - this.#drainingSince > limit;
    if (drainHung || this.#watch.hung(now, sequences.open)) onHung();
  }
}
