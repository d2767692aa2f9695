import type { BackendId } from '../../shared/domain';

/** Number of answers and time of the last one, since the beginning of the journal; `lastUsedAt` in wall ms. */
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

  /** Restores the counts of earlier runs; call before the first answer. */
  restore(uses: readonly (Uses & { backend: string; model: string })[]): void {
    for (const { backend, model, useCount, lastUsedAt } of uses)
      this.#uses.set(`${backend}/${model}`, { useCount, lastUsedAt });
  }

  record(backend: BackendId, name: string, at: number): void {
    this.#uses.set(`${backend}/${name}`, { useCount: this.of(backend, name).useCount + 1, lastUsedAt: at });
  }
}
