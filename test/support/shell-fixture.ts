import type { Core } from '../../src/main/core/core-types';
import {
  ElectronShell,
  type ElectronShellOptions,
  prepareElectron,
  type RunningCore,
} from '../../src/main/electron/shell';
import { Emitter } from '../../src/main/ports/emitter';
import { silentLogger } from '../../src/main/ports/logger';
import type { Handlers, Push, Snapshot } from '../../src/shared/contract';
import { SETTING_KEYS, SETTINGS, type SettingsView } from '../../src/shared/settings';
import { INSTANCES } from './backends';
import { FakeClock } from './fake-clock';
import { type FakeElectron, fakeElectron } from './fake-electron';
import { backendStatus, queueStats } from './gateway-fixture';
import { handlersWith } from './web-host-fixture';

export function settingsView(values: Partial<Record<keyof typeof SETTINGS, unknown>> = {}): SettingsView {
  return Object.fromEntries(
    SETTING_KEYS.map((key) => [
      key,
      {
        value: key in values ? values[key] : SETTINGS[key].default,
        source: 'default',
        env: SETTINGS[key].env,
        acts: SETTINGS[key].acts,
        pendingRestart: false,
      },
    ]),
  ) as SettingsView;
}

export function snapshotWith(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    app: {
      version: '0.1.0',
      host: 'electron',
      platform: 'darwin',
      locale: 'en-GB',
      gatewayUrl: null,
      mlxApiUrl: null,
      dataDir: '/data',
    },
    instances: INSTANCES,
    backends: [
      backendStatus('mlx'),
      backendStatus('ollama', { ownership: 'adopted', state: 'adopted', pid: null }),
    ],
    memory: null,
    ledger: null,
    queue: { stats: queueStats(), entries: [] },
    life: [],
    times: [],
    models: [],
    capable: true,
    firstStart: {
      ...{ done: true, found: [], pair: null, smallerPair: null, suggestions: [] },
      machine: { chip: null, totalBytes: 0, gpuBytes: 0, diskFreeBytes: null },
    },
    downloads: [],
    setup: [],
    settings: settingsView(),
    chats: [],
    warnings: [],
    ...changes,
  };
}

/** A core that records its calls. */
export class RecordingCore implements Core {
  readonly told: { name: string; input: unknown }[] = [];
  readonly pushes = new Emitter<Push>();
  readonly onPush = this.pushes.subscribe;
  readonly handlers: Handlers;
  resumed = 0;
  stopped = 0;
  startError: Error | null = null;
  closing: Promise<void> = Promise.resolve();
  snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
    const record = (name: string) => async (input: unknown) => {
      this.told.push({ name, input });
      return {};
    };
    this.handlers = handlersWith({
      snapshot: async () => ({ revision: 1, snapshot: this.snapshot }),
      backendRestart: record('backendRestart'),
      settingsSet: record('settingsSet'),
      chatStop: record('chatStop'),
    });
  }

  addresses = () => ({ gateway: null, mlxApi: null });
  setUiOrigins(): void {}
  warn(): void {}
  async settled(): Promise<void> {}
  async start(): Promise<void> {
    if (this.startError) throw this.startError;
  }
  stop(): Promise<void> {
    this.stopped += 1;
    return this.closing;
  }
  /** In the form that the shell gets. */
  running(): RunningCore {
    return { core: this, logger: silentLogger, close: () => this.stop() };
  }
  resume(): void {
    this.resumed += 1;
  }
  patch(patch: Partial<Snapshot>): void {
    this.pushes.emit({ name: 'patch', payload: { revision: 2, patch } });
  }
}

export function shellOptions(
  electron: FakeElectron,
  clock: FakeClock,
  platform: NodeJS.Platform = 'darwin',
): ElectronShellOptions {
  return {
    electron: electron.modules,
    preload: '/app/out/preload/index.cjs',
    rendererDir: '/app/out/renderer',
    iconDir: '/app/resources/tray',
    platform,
    clock,
  };
}

/** A shell over the doubles, attached, with its popover loaded and hidden. */
export async function startShell(snapshot = snapshotWith(), platform: NodeJS.Platform = 'darwin') {
  const electron = fakeElectron();
  const clock = new FakeClock();
  const core = new RecordingCore(snapshot);
  await clock.advance(10_000);
  prepareElectron(electron.modules);
  // Electron creates the default session once it is ready, others when they are requested.
  electron.app.emit('session-created', electron.session);
  const shell = new ElectronShell(shellOptions(electron, clock, platform), core.running());
  await shell.open();
  return { electron, clock, core, shell };
}
