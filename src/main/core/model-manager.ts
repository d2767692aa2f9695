import { join } from 'node:path';
import { modelChoices } from '../../shared/model-choices';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import type { Dispatcher } from '../dispatch/types';
import type { MemoryGate } from '../memory/memory-gate';
import type { MemoryMonitor } from '../memory/memory-monitor';
import { ModelDeletion } from '../model-manager/deletion';
import { FirstStartFacts } from '../model-manager/first-start';
import { contextKey, ModelManager } from '../model-manager/model-manager';
import { ModelViews } from '../model-manager/model-views';
import { DownloadedModels } from '../models/downloaded';
import type { DownloadService } from '../models/downloads/download-service';
import type { MlxLibrary } from '../models/mlx-library';
import type { ModelLibrary } from '../models/model-library';
import type { PairServers } from '../models/pair';
import type { SmallModel } from '../models/small-model';
import type { ModelUsage } from '../models/usage';
import type { RouteSnapshot } from '../router/types';
import type { SettingsStore } from '../store/settings-store';
import type { MeasuredTimes } from '../times/measured-times';
import type { ModelContexts } from './contexts';
import type { CorePorts } from './core-types';
import type { Place } from './place';

export interface ModelManagerNeeds {
  registry: BackendRegistry;
  loader: Backend;
  library: ModelLibrary;
  contexts: ModelContexts;
  mlxModels: MlxLibrary;
  downloads: DownloadService;
  usage: ModelUsage;
  measured: MeasuredTimes;
  memory: MemoryMonitor;
  gate: MemoryGate;
  dispatcher: Dispatcher;
  smallModel: SmallModel;
  /** The servers that models are proposed for. */
  servers(): PairServers;
  snapshot(): RouteSnapshot;
}

export interface ModelManagement {
  downloaded: DownloadedModels;
  modelViews: ModelViews;
  modelManager: ModelManager;
  modelDeletion: ModelDeletion;
  firstStart: FirstStartFacts;
}

/** Creates what the user does with models: views, operations, deletion, and the first start. */
export function createModelManagement(
  { files, logger, scan }: CorePorts,
  settings: SettingsStore,
  { dataDir, chip }: Place,
  needs: ModelManagerNeeds,
): ModelManagement {
  const { registry, loader, library, mlxModels, memory, gate, snapshot } = needs;
  const path = join(dataDir, 'downloaded-models.json');
  const downloaded = new DownloadedModels({ files, path, logger });
  const models = () => library.models();
  const loaderId = loader.instance.id;
  const modelViews = new ModelViews({
    ...{ ...needs, loader: loaderId, downloaded },
    models: () => needs.contexts.models(),
    isContextChosen: (backend, name) =>
      Object.hasOwn(settings.values().contextLengths, contextKey({ backend, name })),
  });
  const modelManager = new ModelManager({
    ...{ registry, dispatcher: needs.dispatcher, models, settings },
    settingFor: (backend, category) => modelChoices(backend, settings.values())[category] ?? null,
  });
  const modelDeletion = new ModelDeletion({
    ...{ registry, loader: loaderId, models, views: modelViews, mlxModels, downloaded, snapshot },
    downloads: needs.downloads,
    removeSmall: () => needs.smallModel.remove(),
    rescan: () => library.rescan(),
    process: scan,
  });
  const firstStart = new FirstStartFacts({
    ...{ chip, models },
    settings: () => settings.values(),
    views: () => modelViews.all(),
    servers: needs.servers,
    totalBytes: () => memory.status()?.totalBytes ?? null,
    gpuBytes: () => gate.ledger()?.workingSetBytes ?? null,
    diskFreeBytes: () => mlxModels.diskFreeBytes(),
  });
  return { downloaded, modelViews, modelManager, modelDeletion, firstStart };
}
