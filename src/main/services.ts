import { join } from 'node:path';
import type { BackendId } from '../shared/domain';
import type { Backend } from './backends/backend';
import { MlxBackend } from './backends/mlx/mlx-backend';
import { RemoteMlxBackend } from './backends/mlx/remote-mlx-backend';
import { OLLAMA_DEFAULT_URL, OllamaBackend } from './backends/ollama/ollama-backend';
import { BackendRegistry } from './backends/registry';
import { ChatService } from './chat/chat-service';
import { createIncidents } from './create-incidents';
import type { Incidents } from './incidents/incidents';
import { MemoryMonitor } from './memory/memory-monitor';
import { createMemorySampler } from './memory/memory-sampler';
import { MlxLibrary } from './models/mlx-library';
import { scanRoots } from './models/mlx-scanner';
import { ModelLibrary } from './models/model-library';
import { wantedPreload } from './models/preload';
import { PullService } from './models/pulls';
import { StarterInstaller } from './models/starter-installer';
import { TimesFile } from './models/times-file';
import { ModelUsage } from './models/usage';
import type { Place } from './place';
import type { Clock } from './ports/clock';
import type { Fetcher, Poster } from './ports/fetcher';
import type { FileStore } from './ports/file-store';
import type { Logger } from './ports/logger';
import { findPortHolder } from './ports/port-holder';
import type { ProcessTable, Spawner } from './ports/spawner';
import { RequestQueue } from './queue/request-queue';
import { RequestDispatcher } from './router/dispatcher';
import { Fingerprints } from './router/fingerprints';
import { MeasuredTimes } from './router/measured-times';
import { pickModel } from './router/model-pick';
import type { RouteSnapshot } from './router/types';
import { locateRuntime } from './setup/locate-runtime';
import { SetupRunner } from './setup/setup-runner';
import type { SettingsStore } from './store/settings-store';
import type { OpenedStore } from './store/store-client';
import { restartLimits } from './supervisor/limits';
import type { ChildRecords } from './supervisor/sweep';

export interface CorePorts {
  clock: Clock;
  spawner: Spawner;
  table: ProcessTable;
  records: ChildRecords;
  fetcher: Fetcher;
  post: Poster;
  files: FileStore;
  logger: Logger;
}

/** Everything that works below the surfaces; made once, started and stopped by the core. */
export interface Services {
  setup: SetupRunner;
  registry: BackendRegistry;
  /** The backends that the settings switch on. */
  enabled: Backend[];
  mlxModels: MlxLibrary;
  library: ModelLibrary;
  usage: ModelUsage;
  measured: MeasuredTimes;
  times: TimesFile;
  starter: StarterInstaller;
  pulls: PullService;
  memory: MemoryMonitor;
  queue: RequestQueue;
  fingerprints: Fingerprints;
  dispatcher: RequestDispatcher;
  chat: ChatService;
  incidents: Incidents;
  /** Makes running services follow the settings that act at once. */
  applySettings(): void;
}

/** Makes the services and connects what one needs of another. Nothing runs yet. */
export function createServices(
  ports: CorePorts,
  settings: SettingsStore,
  store: OpenedStore,
  place: Place,
): Services {
  const { clock, logger, fetcher, post } = ports;
  const values = () => settings.values();

  // A Python that is named is meant to be used, wherever we run.
  const outside = place.env.TANDEM_MLX_PYTHON ? null : place.containerHost.mlx;
  const mlxUrl = values().mlxUrl ?? outside;
  const setup = new SetupRunner({
    spawner: ports.spawner,
    logger,
    node: place.node,
    script: join(place.resourcesDir, 'setup', 'runtimes.js'),
    args: place.systemPackages ? [] : ['--no-system-packages'],
    // The addresses in force: one that was not understood, or stands in the settings file, must not mislead it.
    env: {
      ...stringsOf(place.env),
      MLX_API_URL: mlxUrl ?? '',
      OLLAMA_API_URL: values().ollamaUrl ?? '',
    },
  });

  const mlxModels = new MlxLibrary(() => {
    const { modelFolders, mlxModelFast, mlxModelCoding, mlxModelReasoning, mlxModelDefault } = values();
    const direct = [mlxModelFast, mlxModelCoding, mlxModelReasoning, mlxModelDefault];
    return scanRoots({
      home: place.home,
      env: place.env,
      resourcesDir: place.resourcesDir,
      folders: modelFolders,
      direct: direct.filter((name) => name !== null),
    });
  });
  const incidents = createIncidents(ports, place, {
    status: (id) => registry.get(id).status(),
    memory: () => memory.status(),
    inFlight: (id) => queue.status().stats.by_backend[id]?.running ?? 0,
    killerInFlight: (id) => dispatcher.suspectInFlight(id),
  });
  const supervision = { ...ports, observer: incidents };
  const limits = () => restartLimits(values().restartBackoffS, values().restartStableS);
  const common = { env: place.env, fetcher, post, instanceId: place.instanceId, limits };
  const managedMlx = () =>
    new MlxBackend(
      {
        ...common,
        locate: locateRuntime(setup, 'mlx'),
        launchScript: join(place.resourcesDir, 'mlx', 'launch.py'),
        preload: () => {
          settings.markApplied('mlx');
          const wanted = wantedPreload(values());
          if (wanted.kind === 'nothing') return Promise.resolve(null);
          const name =
            wanted.kind === 'model'
              ? wanted.name
              : pickModel('mlx', wanted.category, routeSnapshot(), [])?.name;
          return mlxModels.preload(name ?? null);
        },
        resolveModel: (name) => mlxModels.resolve(name),
        listModels: () => mlxModels.list(),
        maxConcurrent: () => values().mlxMaxConcurrent,
        // Ollama carries all meanwhile, so it is started in any case.
        mayStart: (signal) => memory.relieved(signal),
        onLoaded: (name, seconds) => measured.learnLoad({ backend: 'mlx', name }, seconds),
      },
      supervision,
    );
  const mlx = mlxUrl === null ? managedMlx() : new RemoteMlxBackend({ ...common, url: mlxUrl, clock });
  const ollama = new OllamaBackend(
    {
      ...common,
      url: values().ollamaUrl,
      candidates: [OLLAMA_DEFAULT_URL, place.containerHost.ollama].filter((url) => url !== null),
      locate: locateRuntime(setup, 'ollama'),
      logFile: join(place.dataDir, 'logs', 'ollama.log'),
      findHolder: findPortHolder,
    },
    supervision,
  );
  const registry = new BackendRegistry([mlx, ollama]);
  const enabled = registry.all().filter(({ id }) => isEnabled(id));
  const library = new ModelLibrary({ registry, clock, logger });
  const usage = new ModelUsage();
  const measured = new MeasuredTimes();
  const times = new TimesFile({
    path: join(place.dataDir, 'model-times.json'),
    measured,
    files: ports.files,
    clock,
    logger,
  });
  const starter = new StarterInstaller({
    host: ollama,
    resourcesDir: place.resourcesDir,
    consent: () => values().starterInAdopted,
    onInstalled: () => library.rescan(),
    logger,
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
  const dispatcher = new RequestDispatcher({
    clock,
    fingerprints,
    queue,
    backends: registry,
    snapshot: routeSnapshot,
    refresh: () => library.rescan(),
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
    library,
    usage,
    measured,
    times,
    starter,
    pulls,
    memory,
    queue,
    fingerprints,
    dispatcher,
    chat,
    incidents,
    applySettings() {
      queue.setSlots('mlx', values().mlxMaxConcurrent);
      queue.setSlots('ollama', values().ollamaMaxConcurrent);
      void starter.ensure();
      void library.rescan();
    },
  };

  function isEnabled(id: BackendId): boolean {
    const { useBackends } = values();
    return useBackends === 'both' || useBackends === id;
  }

  function routeSnapshot(): RouteSnapshot {
    const facts = (id: BackendId) => {
      const backend = registry.get(id);
      const { state, stage } = backend.status();
      return {
        state,
        enabled: isEnabled(id),
        settingUp: stage === 'setup',
        capabilities: backend.capabilities,
      };
    };
    return {
      settings: values(),
      backends: { mlx: facts('mlx'), ollama: facts('ollama') },
      models: library.models(),
      memory: memory.status()?.pressure ?? 'unknown',
    };
  }
}

function stringsOf(env: Place['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
