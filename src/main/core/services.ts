import { join } from 'node:path';
import type { SettingKey } from '../../shared/settings';
import type { Backend } from '../backends/backend';
import { BackendRegistry } from '../backends/registry';
import { ChatService } from '../chat/chat-service';
import { RequestDispatcher } from '../dispatch/dispatcher';
import { Fingerprints } from '../dispatch/suspects/fingerprints';
import type { Incidents } from '../incidents/incidents';
import type { MemoryGate } from '../memory/memory-gate';
import { MemoryMonitor } from '../memory/memory-monitor';
import { createMemorySampler } from '../memory/memory-sampler';
import type { MlxLibrary } from '../models/mlx-library';
import { ModelLibrary } from '../models/model-library';
import type { ModelScan } from '../models/model-scan';
import { ModelWatch } from '../models/model-watch';
import { PullService } from '../models/pulls';
import { SeldomLook } from '../models/seldom-look';
import type { SmallModel } from '../models/small-model';
import type { SmallModelInstaller } from '../models/small-model-installer';
import { ModelUsage } from '../models/usage';
import { nodeFolderWatch } from '../ports/folder-watch';
import { serverAddress } from '../ports/server-address';
import { RequestQueue } from '../queue/request-queue';
import { decideByRules } from '../router/decide';
import type { RouteSnapshot } from '../router/types';
import type { RuntimeMarks } from '../setup/runtime-marks';
import type { SetupRunner } from '../setup/setup-runner';
import type { SettingsStore } from '../store/settings-store';
import type { OpenedStore } from '../store/store-client';
import { MeasuredTimes } from '../times/measured-times';
import { TimesFile } from '../times/times-file';
import { createBackends } from './backends';
import type { CorePorts } from './core-types';
import { createIncidents } from './incidents';
import { createMemoryGate, watchPreload } from './memory';
import { createMlxModels } from './models';
import type { Place } from './place';
import { isEnabled, routeFacts } from './route-facts';
import { createSetup, createSmallModel } from './setup';

/** All services below the surfaces; created once, started and stopped by the core. */
export interface Services {
  setup: SetupRunner;
  registry: BackendRegistry;
  /** The backends that are switched on in the settings. */
  enabled: Backend[];
  mlxModels: MlxLibrary;
  modelScan: ModelScan;
  library: ModelLibrary;
  usage: ModelUsage;
  measured: MeasuredTimes;
  times: TimesFile;
  smallModel: SmallModel;
  runtimeMarks: RuntimeMarks;
  smallModelInOllama: SmallModelInstaller;
  pulls: PullService;
  memory: MemoryMonitor;
  gate: MemoryGate;
  queue: RequestQueue;
  fingerprints: Fingerprints;
  dispatcher: RequestDispatcher;
  chat: ChatService;
  incidents: Incidents;
  /** Applies a setting that takes effect at once to the running services. */
  applySetting(key: SettingKey): void;
}

/** Settings that determine where models are scanned. */
const SCANNED: ReadonlySet<SettingKey> = new Set<SettingKey>([
  'modelFolders',
  'mlxModelFast',
  'mlxModelCoding',
  'mlxModelReasoning',
  'mlxModelDefault',
]);

/** Creates the services and connects them. Starts nothing. */
export function createServices(
  ports: CorePorts,
  settings: SettingsStore,
  store: OpenedStore,
  place: Place,
): Services {
  const { clock, logger } = ports;
  const values = () => settings.values();

  // A configured Python takes precedence over an MLX outside our container.
  const outside = place.env.TANDEM_MLX_PYTHON ? null : place.containerHost.mlx;
  const addressIn = (text: string | null) => (text === null ? null : serverAddress(text));
  const named = { mlx: addressIn(values().mlxUrl ?? outside), ollama: addressIn(values().ollamaUrl) };
  const setUp = createSetup(ports, place, settings, named);
  const { setup, runtimeMarks } = setUp;
  const readsModels = named.mlx === null && isEnabled('mlx', values());
  const { modelScan, mlxModels } = createMlxModels(ports, place, {
    settings: values,
    readsModels,
    small: () => setUp.smallFile('mlx'),
    onLate: () => void library.rescan(),
  });
  const incidents = createIncidents(ports, place, {
    status: (id) => registry.get(id).status(),
    memory: () => memory.status(),
    inFlight: (id) => queue.status().stats.by_backend[id]?.running ?? 0,
    killerInFlight: (id) => dispatcher.suspectInFlight(id),
  });
  const measured = new MeasuredTimes();
  const { mlx, ollama } = createBackends(ports, place, {
    settings,
    setup,
    mlxModels,
    measured,
    incidents,
    named,
    later: { gate: () => gate, library: () => library, snapshot: routeSnapshot },
  });
  const registry = new BackendRegistry([mlx, ollama]);
  const enabled = registry.all().filter(({ id }) => isEnabled(id, values()));
  const library = new ModelLibrary({
    registry: new BackendRegistry(enabled),
    clock,
    logger,
    gpuBytes: (id) =>
      registry.get(id).status().ownership === 'remote' ? null : (gate.ledger()?.workingSetBytes ?? null),
    broken: () => mlxModels.broken(),
    hung: () => mlxModels.hung(),
    watch: {
      watcher: new ModelWatch({
        watch: nodeFolderWatch,
        recursive: place.platform !== 'linux',
        clock,
        logger,
      }),
      folders: async () => {
        // MLX's own list has already scanned.
        if (!readsModels) await mlxModels.list();
        return mlxModels.visited();
      },
    },
  });
  const usage = new ModelUsage();
  const times = new TimesFile({
    path: join(place.dataDir, 'model-times.json'),
    measured,
    files: ports.files,
    clock,
    logger,
  });
  const { smallModel, smallModelInOllama } = createSmallModel(ports, place, settings, setUp, {
    mlx,
    ollama,
    rescan: () => library.rescan(),
  });
  const pulls = new PullService({ source: ollama, clock, logger });

  const memory = new MemoryMonitor({
    sampler: createMemorySampler(place.platform, ports.files),
    clock,
    logger,
    thresholds: () => ({
      warningPercent: values().memoryWarningPercent,
      criticalPercent: values().memoryCriticalPercent,
    }),
    backendBytes: () => ({ mlx: mlx.status().memoryBytes, ollama: ollama.status().memoryBytes }),
  });
  const gate = createMemoryGate(ports, {
    machine: memory,
    backends: { mlx, ollama },
    needs: mlxModels,
    models: () => library.models(),
  });
  watchPreload(memory, gate, mlx);
  const queue = new RequestQueue({
    clock,
    slots: { mlx: values().mlxMaxConcurrent, ollama: values().ollamaMaxConcurrent },
    rateLimit: () => ({ max: values().rateLimitMax, windowMs: values().rateLimitWindowS * 1000 }),
  });
  const fingerprints = new Fingerprints({
    files: ports.files,
    path: join(place.dataDir, 'suspects.json'),
    clock,
    logger,
  });
  const looks = new SeldomLook({ look: () => library.rescan(), clock });
  const dispatcher = new RequestDispatcher({
    clock,
    fingerprints,
    queue,
    backends: registry,
    decide: async (request) => decideByRules(request),
    snapshot: routeSnapshot,
    memory: gate,
    refresh: (missed) => looks.for(missed),
    measured,
    onFinished: (record) => {
      store.journal(record);
      if (record.outcome === 'done' && record.backend && record.model) {
        usage.record(record.backend, record.model, clock.wall().getTime());
      }
    },
    logger,
  });
  const chat = new ChatService({ store, dispatcher, clock, logger });

  return {
    setup,
    registry,
    enabled,
    mlxModels,
    modelScan,
    library,
    usage,
    measured,
    times,
    smallModel,
    runtimeMarks,
    smallModelInOllama,
    pulls,
    memory,
    gate,
    queue,
    fingerprints,
    dispatcher,
    chat,
    incidents,
    applySetting(key) {
      queue.setSlots('mlx', values().mlxMaxConcurrent);
      queue.setSlots('ollama', values().ollamaMaxConcurrent);
      if (key === 'smallModel') smallModel.follow();
      if (key === 'smallModelInAdopted') void smallModelInOllama.ensure();
      if (SCANNED.has(key)) void library.rescan();
    },
  };

  function routeSnapshot(): RouteSnapshot {
    return routeFacts(values(), registry, library, gate);
  }
}
