import type { ModelFacts } from './validate';

/**
 * What the configurations of the models in use say. A model that is loaded keeps the configuration that it was loaded
 * with, whatever its folder says since, so `forget` belongs to each load.
 */
export class KnownFacts {
  readonly #read: (folder: string) => ModelFacts;
  readonly #byFolder = new Map<string, ModelFacts>();

  constructor(read: (folder: string) => ModelFacts) {
    this.#read = read;
  }

  of(folder: string): ModelFacts {
    const facts = this.#byFolder.get(folder) ?? this.#read(folder);
    this.#byFolder.set(folder, facts);
    return facts;
  }

  forget(): void {
    this.#byFolder.clear();
  }
}
