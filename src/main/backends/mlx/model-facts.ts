import type { ModelFacts } from '../dialects/openai/validate';

/**
 * Configurations of the models in use. A loaded model keeps the configuration that it was loaded with, whatever its
 * folder contains later, so call `forget` at each load.
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
