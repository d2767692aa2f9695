import { type BackendId, isServing, type ModelInfo } from '../../shared/domain';
import type { ModelOwner, ModelView } from '../../shared/models';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import type { MemoryHolder } from '../memory/types';
import type { DownloadedModels } from '../models/downloaded';
import type { MlxLibrary } from '../models/mlx-library';
import { isSameName } from '../models/model-names';
import type { ModelUsage } from '../models/usage';
import { type CategoryModels, categoryModels } from '../router/category-models';
import type { RouteSnapshot } from '../router/types';
import type { MeasuredTimes } from '../times/measured-times';
import { brokenViewOf, modelViewOf } from './model-view';

export interface ModelViewsOptions {
  registry: BackendRegistry;
  /** The backend that loads the models found on this disk. */
  loader: BackendId;
  /** The installed models with their contexts. */
  models(): readonly ModelInfo[];
  /** Did the user choose the context of this model? */
  isContextChosen(backend: BackendId, name: string): boolean;
  mlxModels: Pick<MlxLibrary, 'placeOf' | 'broken'>;
  downloaded: Pick<DownloadedModels, 'has'>;
  usage: Pick<ModelUsage, 'of'>;
  measured: Pick<MeasuredTimes, 'of'>;
  snapshot(): RouteSnapshot;
}

type ModelKey = Pick<ModelInfo, 'backend' | 'name'>;

/** Everything that the app knows of each installed model, for the UI. */
export class ModelViews {
  readonly #options: ModelViewsOptions;

  constructor(options: ModelViewsOptions) {
    this.#options = options;
  }

  /** The usable models of all servers, then those that cannot be used. */
  all(): ModelView[] {
    const { models, mlxModels, loader, snapshot } = this.#options;
    const used = categoryModels(snapshot());
    return [
      ...models().map((model) => this.#view(model, used)),
      ...mlxModels.broken().map((model) => brokenViewOf(model, loader, this.ownerOf(loader, model))),
    ];
  }

  /** Who put the model's files where they are. Another program's copy of what Tandem downloaded stays its owner's. */
  ownerOf(backend: BackendId, { name, small = false }: { name: string; small?: boolean }): ModelOwner {
    const { downloaded, loader, mlxModels } = this.#options;
    if (small) return 'tandem';
    const owner = backend === loader ? (mlxModels.placeOf(name)?.owner ?? 'folder') : 'ollama';
    const isDownloads = owner === 'huggingface' || owner === 'ollama';
    return isDownloads && downloaded.has(backend, name) ? 'tandem' : owner;
  }

  #view(model: ModelInfo, used: CategoryModels): ModelView {
    const { registry, loader, mlxModels, usage, measured, isContextChosen } = this.#options;
    const { backend, name } = model;
    const server = registry.find(backend);
    const usedFor = Object.entries(used).flatMap(([category, first]) =>
      first !== null && isModel(first, model) ? [category as keyof CategoryModels] : [],
    );
    return modelViewOf(model, {
      usedFor,
      load: server ? loadStateOf(server, name) : 'none',
      measured: measured.of(model),
      lastUsedAt: usage.of(backend, name).lastUsedAt,
      contextChosen: isContextChosen(backend, name),
      owner: this.ownerOf(backend, model),
      hasFolder: backend === loader && mlxModels.placeOf(name) !== null,
    });
  }
}

function isModel(first: { backend: BackendId; model: string }, { backend, name }: ModelKey): boolean {
  return first.backend === backend && isSameName(first.model, name);
}

/** Is the model in its server's memory, as far as the server reports it? */
export function loadStateOf(server: Backend | (Backend & MemoryHolder), name: string): ModelView['load'] {
  if ('loaded' in server) {
    const entry = server.loaded().find((loaded) => isSameName(loaded.name, name));
    if (entry) return entry.ready ? 'loaded' : 'loading';
  }
  const { model, state } = server.status();
  return model !== null && isSameName(model, name) && isServing(state) ? 'loaded' : 'none';
}
