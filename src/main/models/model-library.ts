import type { BackendId, ModelInfo } from '../../shared/domain';
import { canChat, isServing } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import { within } from '../ports/bounded';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import { fitOf } from './fit';
import { FreshRun } from './fresh-run';
import type { BrokenModel } from './model-folder';
import type { ModelWatch } from './model-watch';

/** Models are looked for again this often, so that one is found also where no folder could be watched. */
const RESCAN_MS = 60_000;
/** A list that takes longer is left for the next time. */
const LIST_LIMIT_MS = 5_000;

export interface ModelLibraryOptions {
  registry: BackendRegistry;
  clock: Clock;
  logger: Logger;
  /** Bytes that the GPU may hold where this server's models run, asked at each listing; null = not known. */
  gpuBytes?: (backend: BackendId) => number | null;
  /** What was found and cannot be used. */
  broken?: () => readonly BrokenModel[];
  /** Places that did not answer when models were looked for. */
  hung?: () => readonly string[];
  /** Where changes show, and what watches there. */
  watch?: { watcher: ModelWatch; folders(): Promise<readonly string[]> };
}

/**
 * What is installed, over all backends. A backend that cannot be asked right now keeps its last list, so that a
 * restart does not make its models vanish.
 */
export class ModelLibrary {
  readonly #options: ModelLibraryOptions;
  readonly #registry: BackendRegistry;
  readonly #logger: Logger;
  readonly #byBackend = new Map<string, ModelInfo[]>();
  readonly #changed = new Emitter<readonly ModelInfo[]>();
  readonly #cancels: (() => void)[] = [];
  readonly #scan = new FreshRun(() => this.#ask());
  /** What was told last, as text. */
  #told = '[[],[],[]]';

  /** The list has changed, or a backend has come up, which may be able to answer now what it could not before. */
  readonly onChange = this.#changed.subscribe;

  constructor(options: ModelLibraryOptions) {
    this.#options = options;
    this.#registry = options.registry;
    this.#logger = options.logger.child('models');
  }

  models(): ModelInfo[] {
    return this.#registry.all().flatMap((backend) => this.#byBackend.get(backend.id) ?? []);
  }

  /** Found, but unusable. */
  broken(): readonly BrokenModel[] {
    return this.#options.broken?.() ?? [];
  }

  /** Starts looking: now, whenever a backend becomes ready or a folder changes, and now and then. */
  start(): void {
    this.#cancels.push(this.#options.clock.every(RESCAN_MS, () => void this.rescan()));
    const watcher = this.#options.watch?.watcher;
    watcher?.start(() => void this.rescan());
    if (watcher) this.#cancels.push(() => watcher.stop());
    for (const backend of this.#registry.all()) {
      let serving = false;
      this.#cancels.push(
        backend.onStatus((status) => {
          const now = isServing(status.state);
          if (now && !serving) void this.#afterStart();
          serving = now;
        }),
      );
    }
    void this.rescan();
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  /** Asks every backend again, after the scan that is under way: it may have passed by what has just changed. Never rejects. */
  rescan(): Promise<void> {
    return this.#scan.start();
  }

  async #afterStart(): Promise<void> {
    await this.rescan();
    this.#changed.emit(this.models());
  }

  async #ask(): Promise<void> {
    await Promise.all(
      this.#registry.all().map(async (backend) => {
        try {
          const models = await this.#listOf(backend);
          this.#byBackend.set(backend.id, this.#rated(backend.id, models));
          this.#tell();
        } catch (error) {
          this.#logger.debug('list-failed', { backend: backend.id, error: String(error) });
        }
      }),
    );
    const { watch } = this.#options;
    if (watch) watch.watcher.follow(await watch.folders().catch(() => []));
  }

  /** One that hangs, such as a folder on a volume that has gone, must not keep the others' lists from being read. */
  #listOf(backend: Backend): Promise<ModelInfo[]> {
    return within(
      this.#options.clock,
      LIST_LIMIT_MS,
      new AbortController().signal,
      (signal) => backend.models(signal),
      () => new TandemError('timeout', 'The list of models did not come.'),
    );
  }

  #tell(): void {
    const picture = JSON.stringify([this.models(), this.broken(), this.#options.hung?.() ?? []]);
    if (picture === this.#told) return;
    this.#told = picture;
    this.#changed.emit(this.models());
  }

  #rated(backend: BackendId, models: readonly ModelInfo[]): ModelInfo[] {
    const gpuBytes = this.#options.gpuBytes?.(backend) ?? null;
    return models.map((model) => ({ ...model, fit: model.remote ? 'unknown' : fitOf(model, gpuBytes) }));
  }
}

/** Is there any model but the small one that can answer, on this machine? */
export function hasCapableModel(models: readonly ModelInfo[]): boolean {
  return models.some((model) => !model.small && canChat(model));
}
