import type { BackendId, ModelInfo } from '../../shared/domain';
import { CATEGORIES } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import type { DeletePlan, ModelOwner } from '../../shared/models';
import { inUse } from '../backends/in-use';
import type { BackendRegistry } from '../backends/registry';
import type { DownloadedModels } from '../models/downloaded';
import type { DownloadService } from '../models/downloads/download-service';
import type { MlxLibrary } from '../models/mlx-library';
import { deleteModelFiles, measureModel } from '../models/model-files';
import type { ScanProcess } from '../models/scan-process';
import type { ModelPlace } from '../models/scan-result';
import { categoryModels } from '../router/category-models';
import type { RouteSnapshot } from '../router/types';
import { loadStateOf, type ModelViews } from './model-views';

export interface DeletionOptions {
  registry: BackendRegistry;
  /** The backend that loads the models found on this disk. */
  loader: BackendId;
  models(): readonly ModelInfo[];
  views: Pick<ModelViews, 'ownerOf'>;
  mlxModels: Pick<MlxLibrary, 'placeOf' | 'hide' | 'diskFreeBytes'>;
  downloads: Pick<DownloadService, 'clear'>;
  downloaded: Pick<DownloadedModels, 'remove'>;
  snapshot(): RouteSnapshot;
  /** Removes the small model from all servers and from disk. */
  removeSmall(): Promise<void>;
  /** Lists the models again. */
  rescan(): Promise<void>;
  process: ScanProcess;
}

type ModelKey = Pick<ModelInfo, 'backend' | 'name'>;

/** A server that does not confirm by then is given up. */
const LIMIT_MS = 60_000;

/** Deletes models from disk: says first what that means, and deletes nothing from a place that the user has not seen. */
export class ModelDeletion {
  readonly #options: DeletionOptions;

  constructor(options: DeletionOptions) {
    this.#options = options;
  }

  /** Rejects with `model_not_found`. */
  async plan(key: ModelKey): Promise<DeletePlan> {
    const { registry, process, mlxModels } = this.#options;
    const { info, place } = this.#find(key);
    const isHere = registry.find(key.backend)?.status().ownership !== 'remote';
    return {
      owner: this.#ownerOf(key, info),
      place: place?.root ?? registry.get(key.backend).instance.title,
      freedBytes: place ? await measureModel(process, place) : (info?.sizeBytes ?? null),
      diskFreeBytes: isHere ? mlxModels.diskFreeBytes() : null,
      stops: this.#stops(key),
    };
  }

  /**
   * Deletes a model that no request uses; a loaded one is unloaded first, and not loaded again. What Tandem downloaded
   * needs no `owner`. Rejects with `busy`, also while it is being downloaded, with `bad_request` for another owner than
   * the plan's, or like `deleteModelFiles`.
   */
  async delete(key: ModelKey, owner: ModelOwner): Promise<void> {
    const { info, place } = this.#find(key);
    const actual = this.#ownerOf(key, info);
    if (actual !== 'tandem' && actual !== owner) {
      throw new TandemError('bad_request', `${key.name} belongs to ${actual}. Ask for its plan again.`);
    }
    if (info?.small) return this.#options.removeSmall();
    const show = place && this.#options.mlxModels.hide(place);
    try {
      await this.#remove(key, place);
      await this.#options.downloaded.remove(key.backend, key.name);
      await this.#options.rescan();
    } catch (error) {
      show?.();
      // A scan meanwhile did not list it.
      void this.#options.rescan();
      throw error;
    }
    show?.();
  }

  async #remove(key: ModelKey, place: ModelPlace | null): Promise<void> {
    const { registry, process, downloads } = this.#options;
    const server = registry.get(key.backend);
    if (loadStateOf(server, key.name) === 'loading') throw inUse(key.name);
    await server.freeModel?.(key.name, AbortSignal.timeout(LIMIT_MS));
    await downloads.clear(key);
    if (place) await deleteModelFiles(process, place);
    else if (server.deleteModel) await server.deleteModel(key.name, AbortSignal.timeout(LIMIT_MS));
    else throw new TandemError('unsupported', `${server.instance.title} does not delete models.`);
  }

  /** The listed model, and its files if they are to be deleted here; a broken one has only files. */
  #find({ backend, name }: ModelKey): { info: ModelInfo | null; place: ModelPlace | null } {
    const { loader, models, mlxModels } = this.#options;
    const info = models().find((model) => model.backend === backend && model.name === name) ?? null;
    const place = backend === loader ? mlxModels.placeOf(name) : null;
    if (info === null && place === null) {
      throw new TandemError('model_not_found', `There is no model ${name}.`, { details: { model: name } });
    }
    return { info, place };
  }

  #ownerOf({ backend, name }: ModelKey, info: ModelInfo | null): ModelOwner {
    return this.#options.views.ownerOf(backend, { name, small: info?.small ?? false });
  }

  /** Categories that this model answers now, with the model that would answer instead. */
  #stops({ backend, name }: ModelKey): DeletePlan['stops'] {
    const snapshot = this.#options.snapshot();
    const isThis = (model: ModelKey) => model.backend === backend && model.name === name;
    const now = categoryModels(snapshot);
    const models = snapshot.models.filter((model) => !isThis(model));
    const without = categoryModels({ ...snapshot, models });
    return CATEGORIES.filter((category) => {
      const first = now[category];
      return first !== null && isThis({ backend: first.backend, name: first.model });
    }).map((category) => ({ category, next: without[category]?.model ?? null }));
  }
}
