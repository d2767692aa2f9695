import type { ChatSummary } from '../../shared/chat';
import type { Push, Warning } from '../../shared/contract';
import { type BackendId, isServing, type ModelInfo } from '../../shared/domain';
import { hasSettled, logAbsence } from '../backends/status-board';
import { ReachableModels } from '../chat/reachable-models';
import { BodyBudget } from '../gateway/body-budget';
import { createGateway, type Gateway } from '../gateway/server';
import { MLX_API, ROUTER_GATEWAY, type Surface } from '../gateway/surface';
import { Emitter, type Unsubscribe } from '../ports/emitter';
import { setupLog } from '../setup/setup-log';
import type { SettingsStore } from '../store/settings-store';
import type { OpenedStore } from '../store/store-client';
import { unknownKinds } from './backend-rows';
import { type Adapters, KINDS } from './backends';
import type { Core, CorePorts } from './core-types';
import { gatewayFacts } from './gateway-facts';
import { createHandlers } from './handlers';
import { readListenSettings } from './listen-settings';
import { createPanicWatch } from './panics';
import type { Place, Shell } from './place';
import { Projection } from './projection';
import { createServices } from './services';
import { snapshotSources } from './snapshot-sources';

/** Connects the surfaces (contract, gateway, MLX API) to the services and controls the order of start and stop. */
export function createCore(
  ports: CorePorts,
  settings: SettingsStore,
  store: OpenedStore,
  place: Place,
  shell: Shell,
  adapters: Adapters = KINDS,
): Core {
  const { clock, logger } = ports;
  const services = createServices(ports, settings, store, place, adapters);
  const { setup, enabled, library, memory, chat, downloads, smallModelInOllama, mlxModels } = services;
  const addresses = { gateway: null as string | null, mlxApi: null as string | null };
  const listen = readListenSettings(place.env);
  const extraWarnings: Warning[] = [...listen.warnings, ...unknownKinds(settings.values(), adapters)];
  const warnings = () => [...settings.warnings, ...store.warnings, ...mlxModels.warnings(), ...extraWarnings];
  let chats: ChatSummary[] = [];
  let uiOrigins: () => readonly string[] = () => [];
  let stopping: Promise<void> | null = null;

  const projection = new Projection(
    snapshotSources({ services, settings, place, addresses: () => addresses, chats: () => chats, warnings }),
    clock,
  );
  const handlers = createHandlers({ ...services, projection, store, settings, place, shell });
  const facts = gatewayFacts(services, settings, place, warnings);
  const bodies = new BodyBudget();
  const listener = (surface: Surface): Gateway =>
    createGateway({
      surface,
      dispatcher: services.dispatcher,
      facts,
      settings: () => settings.values(),
      uiOrigins: () => uiOrigins(),
      allowedHosts: listen.allowedHosts,
      allowedOrigins: listen.allowedOrigins,
      bodies,
      clock,
      logger,
    });
  const gateway = listener(ROUTER_GATEWAY);
  const mlxApi = listener(MLX_API);
  const pushes = new Emitter<Push>();
  const subscriptions: Unsubscribe[] = [];
  const reachable = new ReachableModels();

  async function readChats(): Promise<void> {
    try {
      chats = await store.listChats();
      projection.touch('chats');
    } catch (error) {
      logger.warn('chats-not-read', { error });
    }
  }

  /** Chats from before decide whether the first start is over. */
  async function readFirstChats(): Promise<void> {
    await readChats();
    if (chats.length === 0) return;
    services.firstStart.setHadChats();
    projection.touch('firstStart');
  }

  /** If the journal cannot be read, the counts start at zero. */
  async function readUses(): Promise<void> {
    try {
      services.usage.restore(await store.modelUses());
    } catch (error) {
      logger.warn('model-uses-not-read', { error });
    }
  }

  const warn = (warning: Warning) => {
    extraWarnings.push(warning);
    projection.touch('warnings');
  };

  /** The Mac itself went down: MLX must not start as before. */
  const panics = createPanicWatch(ports, place, settings, ({ panic, program }, warning) => {
    const facts = { panic, ...(program === null ? {} : { program }) };
    services.incidents.onMoment(services.loader.instance.id, { type: 'kernel_panic', cause: null, facts });
    warn(warning);
  });

  const loader = enabled.find((backend) => backend === services.loader);
  const byId = (id: BackendId) => enabled.find(({ instance }) => instance.id === id);

  /** The small model was added or removed: MLX may now have a model to load. */
  async function onSmallModel(): Promise<void> {
    await library.rescan();
    await Promise.all([loader?.relocate(), smallModelInOllama.ensure()]);
  }

  /** A model that was here before its download stays its owner's: it may not be deleted without a question. */
  async function onDownloaded(backend: BackendId, name: string, wasInstalled: boolean): Promise<void> {
    if (!wasInstalled) await services.downloaded.add(backend, name);
    await library.rescan();
  }

  /** Relocates MLX when the first model appears in a model folder. */
  function startWithModel(models: readonly ModelInfo[]): void {
    const lacksModel = loader?.status().absence?.code === 'no_model';
    if (lacksModel && models.some(({ backend }) => backend === loader?.instance.id)) void loader?.relocate();
  }

  /** Resends messages that no model could answer, once another model can be reached. */
  function answerWaiting(): void {
    const serves = (id: BackendId) => isServing(byId(id)?.status().state ?? 'absent');
    if (reachable.update(library.models(), serves)) void chat.answerWaiting();
  }

  function subscribe(): void {
    subscriptions.push(
      projection.onPush((push) => pushes.emit(push)),
      chat.onPush((push) => pushes.emit(push)),
      chat.onListChanged(() => void readChats()),
      // What a server that is not ours has loaded shows in `models`.
      memory.onChange(() => projection.touch('memory', 'ledger', 'firstStart', 'models')),
      services.gate.onChange(() => projection.touch('ledger')),
      services.queue.onChange(() => projection.touch('queue')),
      library.onChange((models) => {
        services.measured.reconcile(models);
        startWithModel(models);
        projection.touch('models', 'times', 'capable', 'firstStart', 'warnings');
        answerWaiting();
      }),
      ...enabled.map((backend) => backend.onStatus(answerWaiting)),
      services.measured.onChange(() => projection.touch('times', 'models')),
      services.incidents.onChange(() => projection.touch('life')),
      downloads.onChange(() => projection.touch('downloads')),
      downloads.onCompleted(
        ({ backend, name, wasInstalled }) => void onDownloaded(backend, name, wasInstalled),
      ),
      setup.onProgress(() => downloads.wake()),
      ...enabled.map((backend) => backend.onStatus(() => downloads.wake())),
      setup.onProgress(() => projection.touch('setup')),
      setup.onProgress(setupLog(logger)),
      // A server that was switched on meanwhile is started with the next start of the app.
      setup.onSettled(({ part }) => void (part === 'model' ? onSmallModel() : byId(part)?.relocate())),
      settings.onChange(({ key }) => {
        projection.touch('settings', 'times', 'setup', 'models', 'firstStart');
        services.applySetting(key);
        void setup.runMissing();
      }),
      smallModelInOllama.start(),
      ...enabled.map((backend) =>
        backend.onStatus(() => projection.touch('backends', 'ledger', 'settings', 'models')),
      ),
      ...enabled.map((backend) => logAbsence(backend, logger)),
      ...enabled.map((backend) => services.incidents.watch(backend)),
    );
  }

  async function stop(): Promise<void> {
    for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
    panics?.stop();
    library.stop();
    services.modelScan.stop();
    memory.stop();
    services.gate.close();
    await Promise.allSettled([gateway.close(), mlxApi.close(), chat.close(), downloads.stop()]);
    await Promise.allSettled([setup.stop(), ...enabled.map((backend) => backend.stop())]);
    await services.fingerprints.settled();
    await services.times.close();
    await services.incidents.settled();
    await services.runtimeMarks.close();
  }

  return {
    handlers,
    onPush: pushes.subscribe,
    addresses: () => ({ ...addresses }),
    setUiOrigins(origins) {
      uiOrigins = origins;
    },
    warn,
    async start() {
      for (const { code, message } of warnings()) logger.warn('warning', { code, says: message });
      const { fingerprints, times, incidents } = services;
      await Promise.all([
        ...[fingerprints.load(), times.open(), incidents.load(), readUses()],
        ...[services.downloaded.load(), downloads.load()],
      ]);
      await panics?.start();
      try {
        addresses.gateway = (await gateway.listen(listen.gateway.port, listen.gateway.host)).url;
        addresses.mlxApi = (await mlxApi.listen(listen.mlxApi.port, listen.mlxApi.host)).url;
      } catch (error) {
        if (!stopping) throw error;
      }
      // After a stop began, nothing may start.
      if (stopping) return;
      projection.touch('app');
      subscribe();
      memory.start();
      library.start();
      void readFirstChats();
      void setup.run();
      for (const backend of enabled) {
        void backend
          .start()
          .catch((error) => logger.warn('backend-start', { backend: backend.instance.id, error }));
      }
    },
    async settled(all, signal) {
      const awaited = all ? enabled : enabled.slice(0, 1);
      await Promise.all(awaited.map((backend) => hasSettled(backend, signal)));
      if (all) {
        await setup.done('model');
        await smallModelInOllama.ensure();
      }
      await library.rescan();
    },
    resume() {
      for (const backend of enabled) void backend.relocate();
      void library.rescan();
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}
