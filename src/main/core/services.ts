import { join } from 'node:path';
import type { SettingKey } from '../../shared/settings';
import { isSwitchedOn } from '../../shared/use-backends';
import { BackendRegistry } from '../backends/registry';
import { ChatService } from '../chat/chat-service';
import { RequestDispatcher } from '../dispatch/dispatcher';
import { Fingerprints } from '../dispatch/suspects/fingerprints';
import { MemoryMonitor } from '../memory/memory-monitor';
import { createMemorySampler } from '../memory/memory-sampler';
import { ModelLookup } from '../models/downloads/model-lookup';
import { ModelLibrary } from '../models/model-library';
import { ModelWatch } from '../models/model-watch';
import { SeldomLook } from '../models/seldom-look';
import { ModelUsage } from '../models/usage';
import { nodeFolderWatch } from '../ports/folder-watch';
import { RequestQueue } from '../queue/request-queue';
import { decideByRules } from '../router/decide';
import type { RouteSnapshot } from '../router/types';
import type { SettingsStore } from '../store/settings-store';
import type { OpenedStore } from '../store/store-client';
import { MeasuredTimes } from '../times/measured-times';
import { TimesFile } from '../times/times-file';
import { backendRows, loaderRow } from './backend-rows';
import { type Adapters, createBackends } from './backends';
import { ModelContexts } from './contexts';
import type { CorePorts } from './core-types';
import { createDownloads } from './downloads';
import { createIncidents } from './incidents';
import { createMemoryGate, watchPreload } from './memory';
import { createModelManagement } from './model-manager';
import { modelServers } from './model-servers';
import { createMlxModels } from './models';
import type { Place } from './place';
import { isLocal, routeFacts } from './route-facts';
import { createSetup, createSmallModel } from './setup';

/** All services below the surfaces; created once, started and stopped by the core. */
export type Services = ReturnType<typeof createServices>;

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
  adapters: Adapters,
) {
  const { clock, logger } = ports;
  const values = () => settings.values();

  const rows = backendRows(settings, place, adapters);
  const loading = loaderRow(rows);
  const readsModels = loading.address === null && isSwitchedOn(loading.id, values().useBackends);
  const setUp = createSetup(ports, place, settings, rows);
  const { setup, runtimeMarks } = setUp;
  const { modelScan, mlxModels } = createMlxModels(ports, place, {
    settings: values,
    backend: loading.id,
    readsModels,
    small: () => setUp.small()?.folder ?? null,
    onLate: () => void library.rescan(),
  });
  const incidents = createIncidents(ports, place, {
    status: (id) => registry.get(id).status(),
    memory: () => memory.status(),
    inFlight: (id) => queue.status().stats.by_backend[id]?.running ?? 0,
    title: (id) => registry.find(id)?.instance.title ?? id,
    killerInFlight: (id) => dispatcher.suspectInFlight(id),
    onExplained: (id, cause) => registry.get(id).explained?.(cause),
  });
  const measured = new MeasuredTimes();
  const { registry, modelHost } = createBackends(rows, adapters, ports, place, {
    settings,
    setup,
    mlxModels,
    measured,
    incidents,
    later: { gate: () => gate, snapshot: routeSnapshot },
  });
  const loader = registry.get(loading.id);
  const enabled = registry.all().filter(({ instance }) => isSwitchedOn(instance.id, values().useBackends));
  const { servers, place: fits } = modelServers({
    ...{ loader, modelHost, registry, settings: values },
    totalBytes: () => memory.status()?.totalBytes ?? null,
  });
  const library = new ModelLibrary({
    registry: new BackendRegistry(enabled),
    clock,
    logger,
    place: fits,
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
    loader,
    modelHost,
    rescan: () => library.rescan(),
  });
  const { downloads, sources, hubToken } = createDownloads(ports, place, {
    modelHost,
    loader: readsModels ? loading.id : null,
    setup,
    isEnabled: (id) => enabled.some(({ instance }) => instance.id === id),
    models: () => library.models(),
  });
  const lookup = new ModelLookup({ sources, models: () => library.models(), place: fits, clock });

  const memory = new MemoryMonitor({
    sampler: createMemorySampler(place.platform, ports.files),
    clock,
    logger,
    thresholds: () => ({
      warningPercent: values().memoryWarningPercent,
      criticalPercent: values().memoryCriticalPercent,
    }),
    backendBytes: () =>
      Object.fromEntries(registry.all().map((one) => [one.instance.id, one.status().memoryBytes])),
  });
  const gate = createMemoryGate(ports, {
    machine: memory,
    registry,
    loader: loader.instance.id,
    needs: mlxModels,
    models: () => library.models(),
  });
  watchPreload(memory, gate, loader);
  const contexts = new ModelContexts({
    settings: values,
    models: () => library.models(),
    totalBytes: () => memory.status()?.totalBytes ?? null,
    snapshot: (models) => routeFacts(values(), rows, registry, models, gate),
    backend: (id) => registry.get(id),
    isHere: (id) => rows.some((row) => row.id === id && isLocal(row, registry.get(id).status())),
  });
  const queue = new RequestQueue({
    clock,
    slots: Object.fromEntries(rows.map((row) => [row.id, row.slots(values())])),
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
    decider: { limitMs: null, decide: decideByRules },
    snapshot: routeSnapshot,
    known: async () => {
      await Promise.all([library.listed(), memory.status() ?? memory.sampleNow()]);
    },
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
  const chat = new ChatService({
    ...{ store, dispatcher, clock, logger },
    mayLeaveOut: () => values().chatLeavesOutOldest,
  });
  const modelManagement = createModelManagement(ports, settings, place, {
    ...{ registry, loader, servers, library, contexts, mlxModels, usage, measured, memory, gate },
    ...{ dispatcher, smallModel, downloads, snapshot: routeSnapshot },
  });

  return {
    ...modelManagement,
    setup,
    runtimeMarks,
    smallModel,
    smallModelInOllama,
    registry,
    /** The backend that loads the models found on disk. */
    loader,
    /** The backend that downloads models. */
    modelHost,
    /** The backends that are switched on in the settings. */
    enabled,
    mlxModels,
    modelScan,
    library,
    contexts,
    usage,
    measured,
    times,
    downloads,
    lookup,
    hubToken,
    memory,
    gate,
    queue,
    fingerprints,
    dispatcher,
    chat,
    incidents,
    /** Applies a setting that takes effect at once to the running services. */
    applySetting(key: SettingKey) {
      for (const row of rows) queue.setSlots(row.id, row.slots(values()));
      if (key === 'smallModel') smallModel.follow();
      if (key === 'smallModelInAdopted') void smallModelInOllama.ensure();
      if (SCANNED.has(key)) void library.rescan();
    },
  };

  function routeSnapshot(): RouteSnapshot {
    return routeFacts(values(), rows, registry, contexts.models(), gate);
  }
}
