import type { Answer } from '../../shared/chat';
import { toTandemError } from '../../shared/errors';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { Store } from '../store/types';

/** A failed save is retried at this interval, ms. */
const RETRY_MS = 5_000;

/**
 * Stores answers. If an answer cannot be stored, because the disk is full, it stays in memory and is retried: the user
 * has read it, so it must not disappear or be stored incomplete once there is room.
 */
export class AnswerSaver {
  readonly #store: Pick<Store, 'saveAnswer'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #unsaved = new Map<string, Answer>();
  #retrying = false;

  constructor(store: Pick<Store, 'saveAnswer'>, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** An answer that is newer than its row; undefined = the row is current. */
  unsaved(id: string): Answer | undefined {
    return this.#unsaved.get(id);
  }

  /** Never rejects. The store writes in the order of the calls. */
  async save(answer: Answer): Promise<void> {
    // Set before the store is called, so that a retry meanwhile writes this state, not an older one after it.
    this.#unsaved.set(answer.id, answer);
    try {
      await this.#store.saveAnswer(answer);
      if (this.#unsaved.get(answer.id) === answer) this.#unsaved.delete(answer.id);
    } catch (error) {
      if (!this.#retrying) this.#logger.error('save-failed', { code: toTandemError(error).code });
      this.#retryLater();
    }
  }

  /** Retries all unsaved answers once; call before the store is closed. */
  async flush(): Promise<void> {
    await Promise.all([...this.#unsaved.values()].map((answer) => this.save(answer)));
  }

  #retryLater(): void {
    if (this.#retrying) return;
    this.#retrying = true;
    this.#clock.after(RETRY_MS, () => {
      void this.flush().finally(() => {
        this.#retrying = false;
        if (this.#unsaved.size > 0) this.#retryLater();
      });
    });
  }
}
