import type { Fetcher } from '../../ports/fetcher';
import { checkOllamaName } from './ollama-name';
import { lookUpInRegistry } from './registry-lookup';
import type { DownloadSource, Readiness } from './source';

/**
 * Models for Ollama, which downloads them itself: tags of its library, `hf.co/…`, names with a registry. An aborted pull
 * keeps its parts, and the next one continues; Ollama's API has no call that removes them.
 */
export class OllamaSource implements DownloadSource {
  readonly pull: DownloadSource['pull'];
  readonly #readiness: () => Readiness;
  readonly #fetcher: Fetcher;

  constructor(options: {
    server: Pick<DownloadSource, 'pull'>;
    readiness: () => Readiness;
    /** Reaches registries. */
    fetcher: Fetcher;
  }) {
    this.pull = (...args) => options.server.pull(...args);
    this.#readiness = options.readiness;
    this.#fetcher = options.fetcher;
  }

  check(name: string): void {
    checkOllamaName(name);
  }

  readiness(): Readiness {
    return this.#readiness();
  }

  lookUp(name: string, signal: AbortSignal) {
    return lookUpInRegistry(name, this.#fetcher, signal);
  }
}
