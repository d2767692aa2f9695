import type { Handlers, Push, Snapshot } from '../../shared/contract';
import { toTandemError } from '../../shared/errors';
import type { Core } from '../core/core-types';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import { APP_PRIVILEGES, serveApp } from './app-protocol';
import { bindIpc } from './ipc-binder';
import { appMenu, type MenuActions } from './menus';
import type { ElectronModules } from './modules';
import { Notices } from './notices';
import { Popover } from './popover';
import { enableSandbox, guardAllPages, guardAllSessions } from './security';
import { type ShellStrings, shellStrings } from './strings';
import { SystemSettings } from './system-settings';
import { TrayIcon } from './tray-icon';

export interface ElectronShellOptions {
  electron: ElectronModules;
  /** The built preload (`out/preload/index.cjs`). */
  preload: string;
  /** The built UI (`out/renderer`). */
  rendererDir: string;
  /** `resources/tray`. */
  iconDir: string;
  platform: NodeJS.Platform;
  clock: Clock;
}

/** The assembled core that the shell runs on. */
export interface RunningCore {
  core: Core;
  logger: Logger;
  /** Stops the core and releases its folder; never rejects, safe to call twice. */
  close(): Promise<void>;
}

/** Everything must have stopped 10 s after the user quits; the next start ends whatever still hangs then. */
const STOP_LIMIT_MS = 9_000;

const CALLER = { host: 'electron' } as const;

/** Must be called before Electron is ready. */
export function prepareElectron(electron: Pick<ElectronModules, 'app' | 'protocol'>): void {
  enableSandbox(electron.app);
  guardAllPages(electron.app);
  guardAllSessions(electron.app);
  electron.protocol.registerSchemesAsPrivileged([APP_PRIVILEGES]);
}

/** Tray, popover, menus and all other desktop features, on a core that does not know them. */
export class ElectronShell {
  readonly #options: ElectronShellOptions;
  readonly #running: RunningCore;
  readonly #popover: Popover;
  readonly #tray: TrayIcon;
  readonly #system: SystemSettings;
  readonly #notices: Notices;
  #snapshot: Snapshot | null = null;
  #menuKey = '';
  #stopping = false;
  #exitCode = 0;

  constructor(options: ElectronShellOptions, running: RunningCore) {
    const { electron, platform, clock } = options;
    const { logger } = running;
    this.#options = options;
    this.#running = running;
    this.#tray = new TrayIcon({
      electron,
      iconDir: options.iconDir,
      platform,
      actions: this.#actions(),
      onToggle: () => this.#popover.toggle(),
    });
    this.#popover = new Popover({
      electron,
      preload: options.preload,
      trayBounds: () => this.#tray.bounds(),
      platform,
      clock,
      logger,
    });
    this.#notices = new Notices({
      electron,
      isVisible: () => this.#popover.isVisible,
      onClick: () => this.#showView('status'),
    });
    this.#system = new SystemSettings({ electron, onShortcut: () => this.#popover.toggle(), logger });
  }

  /** Binds the core to page and tray; resolves when the (hidden) page is loaded. */
  async open(): Promise<void> {
    const { electron, rendererDir } = this.#options;
    const { core, logger } = this.#running;
    serveApp(electron.protocol, rendererDir);
    bindIpc(electron.ipcMain, core.handlers, { logger, checkOutput: !electron.app.isPackaged });
    core.onPush((push) => this.#onPush(push));
    this.#show((await core.handlers.snapshot({}, CALLER)).snapshot);
    electron.app.on('second-instance', () => this.#popover.show());
    electron.app.on('activate', () => this.#popover.show());
    // Without a listener Electron quits when its last window closes.
    electron.app.on('window-all-closed', () => {});
    electron.app.on('before-quit', (event) => this.#onQuit(event));
    electron.powerMonitor.on('resume', () => core.resume());
    await this.#popover.create();
  }

  /** The app is ending: what fails from now on is no failure to start. */
  get isQuitting(): boolean {
    return this.#stopping;
  }

  hideWindow(): void {
    this.#popover.hide();
  }

  /** Exits with this status after the core has stopped. */
  quit(exitCode = 0): void {
    this.#exitCode = exitCode;
    this.#options.electron.app.quit();
  }

  /** Shows the popover, at the first start and in tests that cannot click a tray. */
  showWindow(): void {
    this.#popover.show();
  }

  #onPush(push: Push): void {
    this.#popover.send(push);
    if (push.name === 'patch' && this.#snapshot) this.#show({ ...this.#snapshot, ...push.payload.patch });
  }

  #show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    const strings = shellStrings(snapshot.settings.language?.value, this.#options.electron.app.getLocale());
    this.#tray.update(snapshot, strings);
    this.#notices.update(snapshot, strings);
    this.#system.apply(snapshot.settings);
    this.#showMenu(snapshot, strings);
  }

  /** Replacing the menu closes an open one, so it is replaced only if it changed. */
  #showMenu(snapshot: Snapshot, strings: ShellStrings): void {
    const { Menu } = this.#options.electron;
    const template = appMenu(snapshot, strings, this.#actions());
    const key = JSON.stringify(template);
    if (key !== this.#menuKey) Menu.setApplicationMenu(Menu.buildFromTemplate(template));
    this.#menuKey = key;
  }

  #actions(): MenuActions {
    return {
      open: () => this.#popover.show(),
      hide: () => this.#popover.hide(),
      restartMlx: () => {
        const light = this.#snapshot?.instances.find(({ role }) => role === 'light');
        if (light) this.#run((handlers) => handlers.backendRestart({ backend: light.id }, CALLER));
      },
      setOnlyLight: (value) =>
        this.#run((handlers) => handlers.settingsSet({ key: 'mlxOnlyLight', value }, CALLER)),
      settings: () => this.#showView('settings'),
      quit: () => this.quit(),
    };
  }

  #showView(view: 'status' | 'settings'): void {
    this.#popover.show();
    this.#popover.send({ name: 'navigate', payload: { view } });
  }

  /** A menu cannot show a result: a failure is visible in the page and in the log. */
  #run(call: (handlers: Handlers) => Promise<unknown>): void {
    const { core, logger } = this.#running;
    call(core.handlers).catch((thrown: unknown) => {
      logger.warn('menu command failed', { code: toTandemError(thrown).code });
      this.#popover.show();
    });
  }

  /** Holds the first attempt to quit until the core has stopped everything it started. */
  #onQuit(event: { preventDefault: () => void }): void {
    event.preventDefault();
    if (this.#stopping) return;
    this.#stopping = true;
    const { app } = this.#options.electron;
    this.#popover.allowClose();
    this.#system.release();
    const exit = () => app.exit(this.#exitCode);
    this.#options.clock.after(STOP_LIMIT_MS, exit);
    void this.#running.close().finally(() => {
      this.#tray.destroy();
      exit();
    });
  }
}
