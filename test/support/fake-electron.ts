import { EventEmitter } from 'node:events';
import type { ElectronModules } from '../../src/main/electron/modules';

type Template = Electron.MenuItemConstructorOptions[];

/** A menu as Electron would show it, for tests to click. */
export class FakeMenu {
  static application: FakeMenu | null = null;
  readonly template: Template;

  constructor(template: Template) {
    this.template = template;
  }

  static buildFromTemplate(template: Template): FakeMenu {
    return new FakeMenu(template);
  }

  static setApplicationMenu(menu: FakeMenu): void {
    FakeMenu.application = menu;
  }

  item(id: string): Electron.MenuItemConstructorOptions {
    const found = this.#all(this.template).find((item) => item.id === id);
    if (!found) throw new Error(`no menu item ${id}`);
    return found;
  }

  /** Clicks as a user: a checkbox has its new state when its click handler runs. */
  click(id: string): void {
    const item = this.item(id);
    if (item.enabled === false) return;
    const checked = item.type === 'checkbox' ? !item.checked : false;
    item.click?.({ checked } as Electron.MenuItem, undefined, {} as Electron.KeyboardEvent);
  }

  #all(template: Template): Template {
    return template.flatMap((item) => [
      item,
      ...(Array.isArray(item.submenu) ? this.#all(item.submenu) : []),
    ]);
  }
}

export class FakeTray extends EventEmitter {
  static last: FakeTray | null = null;
  image: { path: string };
  tooltip = '';
  shownMenu: FakeMenu | null = null;
  contextMenu: FakeMenu | null = null;
  destroyed = false;

  constructor(image: { path: string }) {
    super();
    this.image = image;
    FakeTray.last = this;
  }

  setImage(image: { path: string }): void {
    this.image = image;
  }
  setToolTip(text: string): void {
    this.tooltip = text;
  }
  setIgnoreDoubleClickEvents(): void {}
  setContextMenu(menu: FakeMenu): void {
    this.contextMenu = menu;
  }
  popUpContextMenu(menu: FakeMenu): void {
    this.shownMenu = menu;
  }
  getBounds() {
    return { x: 700, y: 0, width: 30, height: 24 };
  }
  destroy(): void {
    this.destroyed = true;
  }
}

/** An event whose default can be prevented. */
export function cancellable(): { prevented: boolean; preventDefault: () => void } {
  const event = {
    prevented: false,
    preventDefault: () => {
      event.prevented = true;
    },
  };
  return event;
}

export class FakeContents extends EventEmitter {
  sent: unknown[] = [];
  reloads = 0;
  devToolsOpen = false;
  openHandler: ((details: { url: string }) => { action: string }) | null = null;

  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler;
  }
  send(_channel: string, value: unknown): void {
    this.sent.push(value);
  }
  reload(): void {
    this.reloads += 1;
  }
  isDestroyed = () => false;
  isCrashed = () => false;
  isDevToolsOpened = () => this.devToolsOpen;
}

export class FakeWindow extends EventEmitter {
  static last: FakeWindow | null = null;
  static app: FakeApp | null = null;
  readonly options: Electron.BrowserWindowConstructorOptions;
  readonly webContents = new FakeContents();
  bounds: Electron.Rectangle | null = null;
  address: string | null = null;
  #visible = false;

  constructor(options: Electron.BrowserWindowConstructorOptions) {
    super();
    this.options = options;
    FakeWindow.last = this;
    FakeWindow.app?.emit('web-contents-created', {}, this.webContents);
  }

  async loadURL(address: string): Promise<void> {
    this.address = address;
  }
  isVisible(): boolean {
    return this.#visible;
  }
  show(): void {
    this.#visible = true;
  }
  hide(): void {
    this.#visible = false;
  }
  /** The window loses the focus, as by a click elsewhere. */
  blur(): void {
    this.emit('blur');
  }
  focus(): void {}
  setBounds(bounds: Electron.Rectangle): void {
    this.bounds = bounds;
  }
  setVisibleOnAllWorkspaces(): void {}
}

export class FakeNotification extends EventEmitter {
  static shown: FakeNotification[] = [];
  static supported = true;
  readonly title: string;
  readonly body: string;
  closed = false;

  constructor({ title, body }: { title: string; body: string }) {
    super();
    this.title = title;
    this.body = body;
  }

  static isSupported = () => FakeNotification.supported;
  show(): void {
    FakeNotification.shown.push(this);
  }
  close(): void {
    this.closed = true;
  }
}

export class FakeApp extends EventEmitter {
  isPackaged = true;
  sandboxed = false;
  exitCode: number | null = null;
  openAtLogin: boolean | null = null;
  locale = 'en-GB';
  firstInstance = true;
  openedAtLogin = false;
  readonly paths: Record<string, string> = {};

  enableSandbox(): void {
    this.sandboxed = true;
  }
  setPath(name: string, path: string): void {
    this.paths[name] = path;
  }
  requestSingleInstanceLock = () => this.firstInstance;
  whenReady = async () => {};
  getLocale = () => this.locale;
  getLoginItemSettings = () => ({ wasOpenedAtLogin: this.openedAtLogin });
  setLoginItemSettings({ openAtLogin }: { openAtLogin: boolean }): void {
    this.openAtLogin = openAtLogin;
  }
  /** Quits unless a listener prevents it, as Electron does. */
  quit(): void {
    const event = cancellable();
    this.emit('before-quit', event);
    if (!event.prevented) this.exit(0);
  }
  exit(code: number): void {
    this.exitCode ??= code;
  }
}

export class FakeSession extends EventEmitter {
  requestHandler: ((...args: unknown[]) => void) | null = null;
  checkHandler: ((...args: unknown[]) => boolean) | null = null;
  deviceHandler: (() => boolean) | null = null;

  setPermissionRequestHandler(handler: (...args: unknown[]) => void): void {
    this.requestHandler = handler;
  }
  setPermissionCheckHandler(handler: (...args: unknown[]) => boolean): void {
    this.checkHandler = handler;
  }
  setDevicePermissionHandler(handler: () => boolean): void {
    this.deviceHandler = handler;
  }
}

/** The few Electron modules that the shell uses, with recorded effects. */
export function fakeElectron() {
  const app = new FakeApp();
  FakeWindow.app = app;
  FakeWindow.last = null;
  FakeTray.last = null;
  FakeMenu.application = null;
  FakeNotification.shown = [];
  FakeNotification.supported = true;
  const session = new FakeSession();
  const shortcuts = new Map<string, () => void>();
  const ipc = new Map<string, (...args: never[]) => unknown>();
  const schemes = new Map<string, (request: Request) => Promise<Response>>();
  const opened: string[] = [];
  const errors: string[] = [];
  const powerMonitor = new EventEmitter();
  const display = { workArea: { x: 0, y: 25, width: 1440, height: 875 } };
  const modules = {
    app,
    BrowserWindow: FakeWindow,
    dialog: { showErrorBox: (_title: string, text: string) => void errors.push(text) },
    globalShortcut: {
      register(keys: string, run: () => void) {
        if (keys === 'nonsense') throw new TypeError('bad accelerator');
        if (keys === 'taken') return false;
        shortcuts.set(keys, run);
        return true;
      },
      unregisterAll: () => shortcuts.clear(),
    },
    ipcMain: {
      handle: (channel: string, run: (...args: never[]) => unknown) => void ipc.set(channel, run),
      removeHandler: (channel: string) => void ipc.delete(channel),
    },
    Menu: FakeMenu,
    Notification: FakeNotification,
    nativeImage: { createFromPath: (path: string) => ({ path, setTemplateImage: () => {} }) },
    powerMonitor,
    protocol: {
      registerSchemesAsPrivileged: () => {},
      handle: (scheme: string, run: (request: Request) => Promise<Response>) => void schemes.set(scheme, run),
    },
    screen: { getPrimaryDisplay: () => display, getDisplayNearestPoint: () => display },
    shell: {
      openExternal: async (url: string) => void opened.push(url),
      showItemInFolder: (path: string) => void opened.push(path),
    },
    Tray: FakeTray,
  };
  return {
    // A double has only what the shell uses.
    modules: modules as unknown as ElectronModules,
    app,
    session,
    shortcuts,
    ipc,
    schemes,
    opened,
    errors,
    powerMonitor,
    /** Notifications in the order in which they were shown. */
    notifications: FakeNotification.shown,
    get window(): FakeWindow {
      if (!FakeWindow.last) throw new Error('no window');
      return FakeWindow.last;
    },
    get tray(): FakeTray {
      if (!FakeTray.last) throw new Error('no tray');
      return FakeTray.last;
    },
    get menu(): FakeMenu {
      if (!FakeMenu.application) throw new Error('no application menu');
      return FakeMenu.application;
    },
  };
}

export type FakeElectron = ReturnType<typeof fakeElectron>;
