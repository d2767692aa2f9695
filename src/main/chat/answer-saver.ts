import type { Answer } from '../../shared/chat';
import { toTandemError } from '../../shared/errors';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { Store } from '../store/types';

/** What could not be stored is tried again this often, ms. */
const RETRY_MS = 5_000;

/**
 * Stores answers. One that cannot be stored now, because the disk is full, is kept in memory and tried again: the
 * user has read it, so it must not be gone, or stand there half written, once there is room.
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

  /** An answer that is newer than its row; undefined = the row holds it. */
  unsaved(id: string): Answer | undefined {
    return this.#unsaved.get(id);
  }

  /** Never rejects. The store writes in the order of the calls. */
  async save(answer: Answer): Promise<void> {
    // Before the store is asked, so that a retry in the meantime writes this state again and not an older one over it.
    this.#unsaved.set(answer.id, answer);
    try {
      await this.#store.saveAnswer(answer);
      if (this.#unsaved.get(answer.id) === answer) this.#unsaved.delete(answer.id);
    } catch (error) {
      if (!this.#retrying) this.#logger.error('save-failed', { code: toTandemError(error).code });
      this.#retryLater();
    }
  }

  /** Tries once more what is still not stored; call before the store is closed. */
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
