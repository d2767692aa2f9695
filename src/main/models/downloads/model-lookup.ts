import type { BackendId, ModelInfo } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { Lookup } from '../../../shared/models';
import { within } from '../../ports/bounded';
import type { Clock } from '../../ports/clock';
import { type FitPlace, fitOf } from '../fit';
import { hasName } from '../model-names';
import type { DownloadKey } from './listed-download';
import type { DownloadSource, Found } from './source';

/** The hub's client starts in a second or two, and each of its calls may take 15 s. */
const LIMIT_MS = 60_000;
const MAX_RUNNING = 4;

export interface ModelLookupOptions {
  sources: ReadonlyMap<BackendId, DownloadSource>;
  models: () => readonly ModelInfo[];
  /** Where the backend would run it; null = unknown. */
  place: (backend: BackendId) => FitPlace | null;
  clock: Clock;
}

/**
 * What a name stands for, asked at its source: nothing is asked before the user wants to know. Rejects with
 * `bad_model_name`, `model_not_found`, `model_gated`, `hub_token_rejected`, `timeout`, `queue_full` or `pull_failed`.
 */
export class ModelLookup {
  readonly #options: ModelLookupOptions;
  #running = 0;

  constructor(options: ModelLookupOptions) {
    this.#options = options;
  }

  async find({ backend, name }: DownloadKey): Promise<Lookup> {
    const { sources, models, place } = this.#options;
    const source = sources.get(backend);
    if (!source) throw new TandemError('unsupported', 'No models can be downloaded to this server.');
    source.check(name);
    const { weightsBytes, kvBytesPerToken, ...found } = await this.#ask(source, name);
    const sized = {
      sizeBytes: weightsBytes ?? found.sizeBytes,
      ...(found.contextLength === null ? {} : { contextLength: found.contextLength }),
      ...(kvBytesPerToken === undefined ? {} : { kvBytesPerToken }),
    };
    const { name: own = name } = found;
    return {
      backend,
      ...found,
      name: own,
      fit: fitOf(sized, place(backend)),
      installed: models().some((model) => model.backend === backend && hasName(model, own)),
    };
  }

  async #ask(source: DownloadSource, name: string): Promise<Found> {
    // Each may be a process.
    if (this.#running >= MAX_RUNNING)
      throw new TandemError(
        'queue_full',
        'Several models are being looked up already. Wait for one of them.',
      );
    this.#running += 1;
    try {
      return await within(
        this.#options.clock,
        LIMIT_MS,
        new AbortController().signal,
        (signal) => source.lookUp(name, signal),
        () => new TandemError('timeout', `The source of ${name} did not answer within a minute. Try again.`),
      );
    } finally {
      this.#running -= 1;
    }
  }
}
