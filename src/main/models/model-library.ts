import type { BackendId, ModelInfo } from '../../shared/domain';
import { canChat, isServing } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import { within } from '../ports/bounded';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import { type FitPlace, fitOf } from './fit';
import { FreshRun } from './fresh-run';
import type { BrokenModel } from './model-folder';
import type { ModelWatch } from './model-watch';

/** Interval of the regular scan, which also finds models in folders that cannot be watched. */
const RESCAN_MS = 60_000;
/** A list that takes longer is skipped until the next scan. */
const LIST_LIMIT_MS = 5_000;

export interface ModelLibraryOptions {
  registry: BackendRegistry;
  clock: Clock;
  logger: Logger;
  /** Where this server's models run, read at each listing; null = unknown. */
  place?: (backend: BackendId) => FitPlace | null;
  /** Models that were found but cannot be used. */
  broken?: () => readonly BrokenModel[];
  /** Places that did not respond during the scan. */
  hung?: () => readonly string[];
  /** The watcher, and the folders in which changes appear. */
  watch?: { watcher: ModelWatch; folders(): Promise<readonly string[]> };
}

/**
 * The installed models of all backends. A backend that does not respond keeps its last list, so that its models do not
 * disappear during a restart.
 */
export class ModelLibrary {
  readonly #options: ModelLibraryOptions;
  readonly #registry: BackendRegistry;
  readonly #logger: Logger;
  readonly #byBackend = new Map<string, ModelInfo[]>();
  readonly #changed = new Emitter<readonly ModelInfo[]>();
  readonly #cancels: (() => void)[] = [];
  readonly #scan = new FreshRun(() => this.#ask());
  #models: readonly ModelInfo[] = [];
  #listed: Promise<void> = Promise.resolve();
  /** The last emitted list, as text. */
  #told = '[[],[],[]]';

  /** The list changed, or a backend became ready and may now be able to serve what it could not before. */
  readonly onChange = this.#changed.subscribe;

  constructor(options: ModelLibraryOptions) {
    this.#options = options;
    this.#registry = options.registry;
    this.#logger = options.logger.child('models');
  }

  /** The same list until a model changes. */
  models(): readonly ModelInfo[] {
    return this.#models;
  }

  /** Resolves when each backend that answers has been listed once since `start`. Never rejects. */
  listed(): Promise<void> {
    return this.#listed;
  }

  /** Models that were found but cannot be used. */
  broken(): readonly BrokenModel[] {
    return this.#options.broken?.() ?? [];
  }

  /** Scans now, when a backend becomes ready, when a folder changes, and at an interval. */
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
    this.#listed = this.rescan();
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  /** Lists all backends again, after the current scan, which may have missed a recent change. Never rejects. */
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
          this.#byBackend.set(backend.instance.id, this.#rated(backend.instance.id, models));
          this.#tell();
        } catch (error) {
          this.#logger.debug('list-failed', { backend: backend.instance.id, error: String(error) });
        }
      }),
    );
    const { watch } = this.#options;
    if (watch) watch.watcher.follow(await watch.folders().catch(() => []));
  }

  /** Has a limit, so that a hung list (a folder on an unreachable volume) does not block the other backends' lists. */
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
    const models = this.#registry.all().flatMap(({ instance }) => this.#byBackend.get(instance.id) ?? []);
    const picture = JSON.stringify([models, this.broken(), this.#options.hung?.() ?? []]);
    if (picture === this.#told) return;
    this.#told = picture;
    this.#models = models;
    this.#changed.emit(models);
  }

  #rated(backend: BackendId, models: readonly ModelInfo[]): ModelInfo[] {
    const place = this.#options.place?.(backend) ?? null;
    return models.map((model) => ({ ...model, fit: model.remote ? 'unknown' : fitOf(model, place) }));
  }
}

/** Is there a model on this machine, other than the small one, that can chat? */
export function hasCapableModel(models: readonly ModelInfo[]): boolean {
  return models.some((model) => !model.small && canChat(model));
}
