import type { BackendId } from '../../shared/domain';
import type { Ledger } from '../../shared/status';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { Decision } from './decision';

/** A decision is shown for this long. */
const REMEMBER_MS = 600_000;

type Noted = Pick<Exclude<Decision, { kind: 'admit' }>, 'kind' | 'rule' | 'neededBytes' | 'freeBytes'>;

/** Remembers the last decision that was not to admit, for the ledger and the log. */
export class LastDecision {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #changed: () => void;
  #last: Ledger['lastDecision'] = null;

  /** @param changed told of each decision that is noted or taken back */
  constructor(clock: Clock, logger: Logger, changed: () => void) {
    this.#clock = clock;
    this.#logger = logger;
    this.#changed = changed;
  }

  /** Null when there was none within ten minutes. */
  recent(): Ledger['lastDecision'] {
    return this.#last && this.#wall() - this.#last.at < REMEMBER_MS ? this.#last : null;
  }

  /** Logs it only when it is another one than before: a wait is decided anew each second. */
  note(decision: Noted, { backend, model }: { backend: BackendId; model: string }): Ledger['lastDecision'] {
    const { kind, rule, neededBytes, freeBytes } = decision;
    if (this.#last?.kind !== kind || this.#last.model !== model) {
      this.#logger.info('memory.decision', { kind, rule, backend, model, neededBytes, freeBytes });
    }
    this.#last = { at: this.#wall(), kind, backend, model, rule, neededBytes, freeBytes };
    this.#changed();
    return this.#last;
  }

  /** Nobody waits any more: a wait that is over is not shown as if it went on. */
  endWait(noted: Ledger['lastDecision']): void {
    if (noted?.kind !== 'wait' || this.#last !== noted) return;
    this.#last = null;
    this.#changed();
  }

  #wall(): number {
    return this.#clock.wall().getTime();
  }
}
