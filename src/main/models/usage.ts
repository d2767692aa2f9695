import type { BackendId } from '../../shared/domain';

/** How often and when a model answered since the app started; `lastUsedAt` in wall ms since the epoch. */
export interface Uses {
  useCount: number;
  lastUsedAt: number | null;
}

/** Counts answers per model. */
export class ModelUsage {
  readonly #uses = new Map<string, Uses>();

  of(backend: BackendId, name: string): Uses {
    return this.#uses.get(`${backend}/${name}`) ?? { useCount: 0, lastUsedAt: null };
  }

  record(backend: BackendId, name: string, at: number): void {
    this.#uses.set(`${backend}/${name}`, { useCount: this.of(backend, name).useCount + 1, lastUsedAt: at });
  }
}
