import type { HangLimitsView } from '../../../shared/incidents';
import type { Clock } from '../../ports/clock';
import type { HangLimits } from './hang-limits';
import type { LauncherEvent } from './launcher-events';
import { type Hang, ProgressWatch } from './progress-watch';
import type { Sequences } from './sequences';

const WATCH_EVERY_MS = 1000;
/** If our timer fires this late, this program or the whole machine was paused. */
const LATE_MS = 1000;

export interface ProgressGuardOptions {
  clock: Clock;
  sequences: Sequences;
  limits: HangLimits;
  /** The limits that apply to the current model. */
  limitsNow(): HangLimitsView;
  onHung(hang: Hang | 'drain'): void;
}

/** Checks the process's progress while a request waits for it; an idle server has no timer. */
export class ProgressGuard {
  readonly #options: ProgressGuardOptions;
  readonly #watch: ProgressWatch;
  #stopWatch: (() => void) | null = null;
  #checkedAt = 0;

  constructor(options: ProgressGuardOptions) {
    this.#options = options;
    this.#watch = new ProgressWatch(options.limits);
  }

  /** A new process has started. */
  reset(): void {
    this.#watch.reset();
    if (this.#stopWatch) this.#watch.restart(this.#options.clock.now());
  }

  onLauncher(event: LauncherEvent): void {
    const now = this.#options.clock.now();
    if (event.event === 'mem') this.#watch.onFigures(event, now);
    else this.#watch.onLine(now, true);
  }

  onFrame(): void {
    this.#watch.onFrame(this.#options.clock.now());
  }

  /** Call when the number of waiting or draining sequences may have changed. */
  onSequences(): void {
    const { open, draining } = this.#options.sequences;
    if (open + draining === 0) this.#rest();
    else if (this.#stopWatch === null) this.#begin();
  }

  #begin(): void {
    const { clock } = this.#options;
    this.#checkedAt = clock.now();
    this.#watch.restart(this.#checkedAt);
    this.#stopWatch = clock.every(WATCH_EVERY_MS, () => this.#check());
  }

  #rest(): void {
    this.#watch.rest();
    this.#stopWatch?.();
    this.#stopWatch = null;
  }

  #check(): void {
    const { clock, sequences, limitsNow, onHung } = this.#options;
    const now = clock.now();
    const late = now - this.#checkedAt - WATCH_EVERY_MS > LATE_MS;
    this.#checkedAt = now;
    // Nothing is due while a caller is slow to read a complete answer; an idle launcher writes nothing then.
    const nothingDue = sequences.unfinished + sequences.awaiting === 0;
    if (late || nothingDue) {
      this.#watch.restart(now);
      sequences.restartTimes();
      return;
    }
    const limits = limitsNow();
    const since = sequences.drainingSince;
    const hang = this.#watch.hung(now, sequences, limits);
    if (hang) onHung(hang);
    else if (since !== null && now - since > this.#watch.drainLimitMs(limits)) onHung('drain');
  }
}
