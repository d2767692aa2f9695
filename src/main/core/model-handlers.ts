import type { Handlers } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import type { SettingsStore } from '../store/settings-store';
import type { Shell } from './place';
import type { Services } from './services';

interface ModelHandlerParts
  extends Pick<Services, 'library' | 'loader' | 'mlxModels' | 'modelManager' | 'modelDeletion'> {
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
