import type { BackendId } from '../../shared/domain';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { Evicted } from './decision';
import type { MemoryHolder } from './types';

/** Time limit for all unloads of one eviction; after it they count as failed. */
const UNLOAD_LIMIT_MS = 10_000;
/** For this long, the next request for an evicted model reports the eviction as a reason. */
const REMEMBER_MS = 600_000;

/** Asks servers to unload models, and remembers which: their next request reports why it waits for a load. */
export class Evictions {
  readonly #holders: ReadonlyMap<BackendId, MemoryHolder>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #at = new Map<string, number>();

  constructor(holders: ReadonlyMap<BackendId, MemoryHolder>, clock: Clock, logger: Logger) {
    this.#holders = holders;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * True when a model was unloaded, so that the caller should decide again. A server that refuses is skipped. Rejects
   * only with the signal's reason.
   * @param forModel the model that needs the room, for the log
   */
  async evict(models: readonly Evicted[], forModel: string, signal: AbortSignal): Promise<boolean> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(UNLOAD_LIMIT_MS)]);
    let freed = false;
    for (const { backend, model } of models) {
      try {
        await this.#holders.get(backend)?.unload(model, limit);
        freed = true;
        this.#at.set(keyOf(backend, model), this.#clock.now());
        this.#logger.info('memory.evicted', { backend, model, for: forModel });
      } catch (error) {
        signal.throwIfAborted();
        this.#logger.warn('memory.evict-failed', { backend, model, error });
      }
    }
    return freed;
  }

  /** Was it evicted lately? Says so once. */
  take(backend: BackendId, model: string): boolean {
    const key = keyOf(backend, model);
    const at = this.#at.get(key);
    this.#at.delete(key);
    return at !== undefined && this.#clock.now() - at < REMEMBER_MS;
  }
}

function keyOf(backend: BackendId, model: string): string {
  return `${backend} ${model}`;
}
