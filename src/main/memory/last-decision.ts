import type { BackendId } from '../../shared/domain';
import type { Ledger } from '../../shared/status';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { Decision } from './decision';

/** A decision is shown for this long. */
const REMEMBER_MS = 600_000;

type Noted = Pick<Exclude<Decision, { kind: 'admit' }>, 'kind' | 'rule' | 'neededBytes' | 'freeBytes'>;

/** Remembers the last decision other than admit, for the ledger and the log. */
export class LastDecision {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #changed: () => void;
  #last: Ledger['lastDecision'] = null;

  /** @param changed called when a decision is noted or withdrawn */
  constructor(clock: Clock, logger: Logger, changed: () => void) {
    this.#clock = clock;
    this.#logger = logger;
    this.#changed = changed;
  }

  /** Null if there was none within ten minutes. */
  recent(): Ledger['lastDecision'] {
    return this.#last && this.#wall() - this.#last.at < REMEMBER_MS ? this.#last : null;
  }

  /** Logs only a decision that differs from the last one: a wait is decided again every second. */
  note(decision: Noted, { backend, model }: { backend: BackendId; model: string }): Ledger['lastDecision'] {
    const { kind, rule, neededBytes, freeBytes } = decision;
    if (this.#last?.kind !== kind || this.#last.model !== model) {
      this.#logger.info('memory.decision', { kind, rule, backend, model, neededBytes, freeBytes });
    }
    this.#last = { at: this.#wall(), kind, backend, model, rule, neededBytes, freeBytes };
    this.#changed();
    return this.#last;
  }

  /** Removes a wait that has ended, so that the ledger does not show it as still going on. */
  endWait(noted: Ledger['lastDecision']): void {
    if (noted?.kind !== 'wait' || this.#last !== noted) return;
    this.#last = null;
    this.#changed();
  }

  #wall(): number {
    return this.#clock.wall().getTime();
  }
}
