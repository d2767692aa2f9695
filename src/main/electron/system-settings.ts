import type { SettingsView } from '../../shared/settings';
import type { Logger } from '../ports/logger';
import type { ElectronModules } from './modules';

export interface SystemSettingsOptions {
  electron: Pick<ElectronModules, 'app' | 'globalShortcut'>;
  onShortcut: () => void;
  logger: Logger;
}

/** Applies the two settings that belong to the system: the global shortcut and starting at login. */
export class SystemSettings {
  readonly #options: SystemSettingsOptions;
  #shortcut: string | null = null;
  #openAtLogin: boolean | null = null;

  constructor(options: SystemSettingsOptions) {
    this.#options = options;
  }

  apply(settings: SettingsView): void {
    const shortcut = settings.globalShortcut?.value;
    if (typeof shortcut === 'string' && shortcut !== this.#shortcut) this.#setShortcut(shortcut);
    const openAtLogin = settings.openAtLogin?.value;
    if (typeof openAtLogin === 'boolean' && openAtLogin !== this.#openAtLogin) this.#setLogin(openAtLogin);
  }

  release(): void {
    this.#options.electron.globalShortcut.unregisterAll();
  }

  /** An empty shortcut means none. If it is taken or invalid there is none, and the log says so. */
  #setShortcut(shortcut: string): void {
    const { electron, onShortcut, logger } = this.#options;
    electron.globalShortcut.unregisterAll();
    this.#shortcut = shortcut;
    if (shortcut === '') return;
    let registered = false;
    try {
      registered = electron.globalShortcut.register(shortcut, onShortcut);
    } catch {
      registered = false;
    }
    if (!registered) logger.warn('global shortcut not registered', { shortcut });
  }

  /** From a checkout, the login item would start Electron itself. */
  #setLogin(openAtLogin: boolean): void {
    this.#openAtLogin = openAtLogin;
    const { app } = this.#options.electron;
    if (app.isPackaged) app.setLoginItemSettings({ openAtLogin });
  }
}
