import type { Handlers } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import type { Backend } from '../backends/backend';
import type { ModelDeletion } from '../model-manager/deletion';
import type { ModelManager } from '../model-manager/model-manager';
import type { MlxLibrary } from '../models/mlx-library';
import type { ModelLibrary } from '../models/model-library';
import type { SettingsStore } from '../store/settings-store';
import type { Shell } from './place';

export interface ModelHandlerParts {
  library: ModelLibrary;
  /** The backend that loads the models found on this disk. */
  loader: Backend;
  mlxModels: MlxLibrary;
  modelManager: ModelManager;
  modelDeletion: ModelDeletion;
  settings: SettingsStore;
  shell: Shell;
}

type ModelCall =
  | 'modelsRescan'
  | 'modelLoad'
  | 'modelUnload'
  | 'memoryFree'
  | 'modelUse'
  | 'modelContext'
  | 'modelDeletePlan'
  | 'modelDelete'
  | 'modelReveal'
  | 'firstStartDone';

/** Binds the calls about installed models and the first start. No logic here. */
export function modelHandlers(parts: ModelHandlerParts): Pick<Handlers, ModelCall> {
  const { library, loader, mlxModels, modelManager, modelDeletion, settings, shell } = parts;
  return {
    modelsRescan: async () => {
      await library.rescan();
      return {};
    },
    modelLoad: async (model) => {
      await modelManager.load(model);
      return {};
    },
    modelUnload: async (model) => {
      await modelManager.unload(model);
      return {};
    },
    memoryFree: () => modelManager.free(),
    modelUse: async ({ backend, category, name }) => {
      await modelManager.use(backend, category, name);
      return {};
    },
    modelContext: async ({ tokens, ...model }) => {
      await modelManager.setContext(model, tokens);
      return {};
    },
    modelDeletePlan: (model) => modelDeletion.plan(model),
    modelDelete: async ({ owner, ...model }) => {
      await modelDeletion.delete(model, owner);
      return {};
    },
    modelReveal: async ({ backend, name }) => {
      const place = backend === loader.instance.id ? mlxModels.placeOf(name) : null;
      if (!place) throw new TandemError('not_found', `${name} has no folder on this machine.`);
      await shell.showFolder(place.path);
      return {};
    },
    firstStartDone: async ({ done }) => {
      await settings.set('firstStartDone', done);
      return {};
    },
  };
}
