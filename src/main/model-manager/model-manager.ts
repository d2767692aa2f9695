import { randomUUID } from 'node:crypto';
import type { CompletionRequest } from '../../shared/completion';
import { type BackendId, type Category, isServing, type ModelInfo } from '../../shared/domain';
import { isTandemError, TandemError } from '../../shared/errors';
import type { SettingKey } from '../../shared/settings';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import type { Dispatcher } from '../dispatch/types';
import type { LoadedModel, MemoryHolder } from '../memory/types';
import { findByName } from '../models/model-names';
import type { SettingsStore } from '../store/settings-store';

export interface ModelManagerOptions {
  registry: BackendRegistry;
  dispatcher: Dispatcher;
  models(): readonly ModelInfo[];
  settings: Pick<SettingsStore, 'set' | 'values'>;
  /** The setting of this backend's model for a category; null = it cannot be chosen. */
  settingFor(backend: BackendId, category: Category): SettingKey | null;
}

/** A server that does not confirm an unload by then is given up. */
const UNLOAD_LIMIT_MS = 60_000;

type ModelKey = Pick<ModelInfo, 'backend' | 'name'>;
type Server = Backend | (Backend & MemoryHolder);

/** Loads and unloads models, and chooses what they are used for, at the user's request. */
export class ModelManager {
  readonly #options: ModelManagerOptions;

  constructor(options: ModelManagerOptions) {
    this.#options = options;
  }

  /**
   * Loads a model, as a request without a message: queue, memory guard and the rule of one model hold for it. Resolves
   * when it is loaded. Rejects with the reason why it cannot be.
   */
  async load({ backend, name }: ModelKey): Promise<void> {
    this.#serverOf(backend);
    const request: CompletionRequest = {
      ...{ id: randomUUID(), model: { kind: 'named', name, backend }, messages: [], sampling: {} },
      ...{ priority: 'high', client: 'ui', strict: true, origin: 'chat' },
    };
    for await (const _event of this.#options.dispatcher.dispatch(request, new AbortController().signal));
  }

  /** Resolves when the model is not in memory. Rejects with `busy`, or with `unsupported` for a server that cannot. */
  async unload({ backend, name }: ModelKey): Promise<void> {
    const server = this.#serverOf(backend);
    if (!server.freeModel) {
      const { title } = server.instance;
      throw new TandemError('unsupported', `${title} decides itself which models it keeps in memory.`);
    }
    await server.freeModel(name, AbortSignal.timeout(UNLOAD_LIMIT_MS));
  }

  /**
   * Unloads all models that no request uses: on a server that is not ours only those that Tandem loaded, as others may
   * be in use there. A model that is taken into use meanwhile stays. Rejects with a server's failure only if none was
   * unloaded.
   * @returns how many, and their bytes; null = a size is unknown
   */
  async free(): Promise<{ models: number; bytes: number | null }> {
    const freed: LoadedModel[] = [];
    const failures: unknown[] = [];
    for (const server of this.#options.registry.all()) {
      for (const model of idleModels(server)) {
        try {
          await server.freeModel?.(model.name, AbortSignal.timeout(UNLOAD_LIMIT_MS));
          freed.push(model);
        } catch (error) {
          if (!isTandemError(error) || error.code !== 'busy') failures.push(error);
        }
      }
    }
    if (freed.length === 0 && failures.length > 0) throw failures[0];
    const sizes = freed.map(({ size }) => size.bytes);
    const bytes = sizes.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0);
    return { models: freed.length, bytes };
  }

  /** Rejects with `setting_from_environment`, `model_not_found`, or `unsupported` if the backend has no such choice. */
  async use(backend: BackendId, category: Category, name: string | null): Promise<void> {
    const { instance } = this.#serverOf(backend);
    const key = this.#options.settingFor(backend, category);
    if (key === null) {
      throw new TandemError('unsupported', `${instance.title} gets no model of its own for this work.`, {
        details: { backend, category },
      });
    }
    const own = this.#options.models().filter((model) => model.backend === backend);
    if (name !== null && !findByName(own, name)) {
      throw new TandemError('model_not_found', `${instance.title} has no model ${name}.`, {
        details: { model: name },
      });
    }
    await this.#options.settings.set(key, name);
  }

  /** Pins the context of a model; null = what fits. Rejects with `model_not_found`, or like a setting. */
  async setContext(model: ModelKey, tokens: number | null): Promise<void> {
    const { models, settings } = this.#options;
    const key = contextKey(model);
    if (!models().some((known) => contextKey(known) === key)) {
      throw new TandemError('model_not_found', `There is no model ${model.name}.`, {
        details: { model: model.name },
      });
    }
    const { [key]: _old, ...others } = settings.values().contextLengths;
    await settings.set('contextLengths', tokens === null ? others : { ...others, [key]: tokens });
  }

  #serverOf(backend: BackendId): Server {
    const server = this.#options.registry.find(backend);
    if (!server) throw new TandemError('not_found', `There is no server ${backend}.`);
    return server;
  }
}

/** A model's name in the setting `contextLengths`. */
export function contextKey({ backend, name }: ModelKey): string {
  return `${backend}/${name}`;
}

function idleModels(server: Server): LoadedModel[] {
  if (!('loaded' in server) || !server.freeModel || !isServing(server.status().state)) return [];
  return server.loaded().filter(({ ready, active, ours }) => ready && active === 0 && ours);
}
