import type { BackendId } from '../../shared/domain';
import type { Backend } from './backend';

/** The backends of this run, by id; iteration order is the order of preference on a tie. */
export class BackendRegistry {
  readonly #backends: ReadonlyMap<BackendId, Backend>;

  constructor(backends: readonly Backend[]) {
    this.#backends = new Map(backends.map((backend) => [backend.instance.id, backend]));
  }

  /** @throws RangeError for an id that no backend has */
  get(id: BackendId): Backend {
    const backend = this.find(id);
    if (!backend) throw new RangeError(`no backend ${id} in this run`);
    return backend;
  }

  find(id: BackendId): Backend | undefined {
    return this.#backends.get(id);
  }

  all(): Backend[] {
    return [...this.#backends.values()];
  }
}
