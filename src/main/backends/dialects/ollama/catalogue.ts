import { type BackendId, type ModelInfo, parseBillions, weightOf } from '../../../../shared/domain';
import { TandemError } from '../../../../shared/errors';
import { isRemoteAnswer, isRemoteName, type ShowAnswer, type TagItem, toModelInfo } from './model-list';
import type { OllamaApi } from './ollama-api';

/** A loaded model takes its file's size times this, for cache and buffers. */
const LOADED_PER_DISK = 1.2;

/** The models of one server. Caches `/api/show` by digest, because the description changes only with the digest. */
export class Catalogue {
  readonly #backend: BackendId;
  readonly #shown = new Map<string, ShowAnswer | null>();
  #items: readonly TagItem[] = [];

  constructor(backend: BackendId) {
    this.#backend = backend;
  }

  /** Lists the models from the server; a model without a description is listed with what is known. */
  async list(api: OllamaApi, signal: AbortSignal): Promise<ModelInfo[]> {
    const items = (await api.tags(signal)).filter(({ tandem }) => tandem?.backend !== null);
    const models: ModelInfo[] = [];
    for (const item of items)
      models.push(toModelInfo(item, await this.#show(api, item, signal), this.#backend));
    this.#items = items;
    const digests = new Set(items.map(keyOf));
    for (const digest of this.#shown.keys()) if (!digests.has(digest)) this.#shown.delete(digest);
    return models;
  }

  /**
   * Throws for a model that would send the request to somebody else's machine.
   * @throws TandemError `unsupported`, or the server's error for an unknown name
   */
  async refuseRemote(api: OllamaApi, name: string, signal: AbortSignal): Promise<void> {
    if (isRemoteName(name)) throw remote(name);
    const item = this.#itemOf(name);
    const show = item ? await this.#show(api, item, signal) : await api.show(name, signal);
    if ((item && isRemoteAnswer(item)) || (show && isRemoteAnswer(show))) throw remote(name);
  }

  /** Bytes of an installed model on disk; null = unknown. */
  sizeOf(model: string): number | null {
    return this.#itemOf(model)?.size ?? null;
  }

  /** May this model be slow? True also for an unknown size. */
  isHeavy(model: string): boolean {
    const weight = weightOf(parseBillions(this.#itemOf(model)?.details?.parameter_size));
    return weight === 'heavy' || weight === 'unknown';
  }

  /**
   * The largest installed model that is small enough to be loaded instead of this one.
   * @param freeBytes null = unknown: up to half of this one's size counts as small enough
   */
  fitting(model: string, freeBytes: number | null): string | null {
    const own = this.sizeOf(model);
    const limit = freeBytes === null ? (own ?? 0) / 2 : freeBytes / LOADED_PER_DISK;
    const small = this.#items
      .filter((item) => item.size !== undefined && item.size <= limit && item.size < (own ?? limit + 1))
      .filter((item) => !isRemoteName(item.name) && !isRemoteAnswer(item))
      .filter((item) => this.#shown.get(keyOf(item))?.capabilities?.includes('completion') ?? true)
      .sort((left, right) => (right.size ?? 0) - (left.size ?? 0));
    return small[0]?.name.replace(/:latest$/, '') ?? null;
  }

  #itemOf(name: string): TagItem | undefined {
    return this.#items.find((known) => known.name === name || known.name === `${name}:latest`);
  }

  async #show(api: OllamaApi, item: TagItem, signal: AbortSignal): Promise<ShowAnswer | null> {
    const key = keyOf(item);
    const known = this.#shown.get(key);
    if (known !== undefined) return known;
    try {
      const show = await api.show(item.name, signal);
      this.#shown.set(key, show);
      return show;
    } catch (error) {
      if (signal.aborted) throw error;
      return null;
    }
  }
}

/** Another Tandem lists no digests. */
function keyOf({ digest, name }: TagItem): string {
  return digest || name;
}

function remote(name: string): TandemError {
  return new TandemError(
    'unsupported',
    `${name} runs on somebody else's machine and cloud models are off; choose a local model.`,
    { details: { model: name } },
  );
}
