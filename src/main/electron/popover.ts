import type { BrowserWindow, Rectangle } from 'electron';
import { PUSH_CHANNEL } from '../../shared/channels';
import type { Push } from '../../shared/contract';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { ElectronModules } from './modules';
import { POPOVER_SIZE, popoverBounds } from './popover-position';
import { pagePreferences, START_PAGE } from './security';

/** A click on the icon first takes the focus, which closes the popover; that click must not reopen it. */
const REOPEN_GUARD_MS = 250;
/** A page that crashes again within this time after a reload is not reloaded. */
const RELOAD_GUARD_MS = 5_000;

export interface PopoverOptions {
  electron: Pick<ElectronModules, 'app' | 'BrowserWindow' | 'screen'>;
  preload: string;
  /** Current bounds of the tray icon. */
  trayBounds: () => Rectangle;
  platform: NodeJS.Platform;
  clock: Clock;
  logger: Logger;
}

/** The only window: created once, hidden instead of closed, so that it opens at once and keeps its state. */
export class Popover {
  readonly #options: PopoverOptions;
  #window: BrowserWindow | null = null;
  #blurredAt = Number.NEGATIVE_INFINITY;
  #reloadedAt = Number.NEGATIVE_INFINITY;
  #quitting = false;

  constructor(options: PopoverOptions) {
    this.#options = options;
  }

  /** Creates the hidden window and loads the page. */
  async create(): Promise<void> {
    const { electron, preload } = this.#options;
    const window = new electron.BrowserWindow({
      ...POPOVER_SIZE,
      show: false,
      frame: false,
      resizable: false,
      movable: false,
      minimizable: false,
      maximizable: false,
      fullscreenable: false,
      skipTaskbar: true,
      alwaysOnTop: true,
      title: 'Tandem',
      // Shown above full-screen apps too, without leaving their space.
      ...(this.#options.platform === 'darwin' ? { type: 'panel' } : {}),
      webPreferences: pagePreferences(preload, !electron.app.isPackaged),
    });
    this.#window = window;
    window.on('blur', () => this.#onBlur(window));
    window.on('close', (event) => {
      if (this.#quitting) return;
      event.preventDefault();
      window.hide();
    });
    window.webContents.on('render-process-gone', (_event, { reason }) => this.#onCrash(window, reason));
    await window.loadURL(START_PAGE);
  }

  get isVisible(): boolean {
    return this.#window?.isVisible() ?? false;
  }

  /** Left click and global shortcut. */
  toggle(): void {
    if (this.isVisible) this.hide();
    else if (this.#options.clock.now() - this.#blurredAt >= REOPEN_GUARD_MS) this.show();
  }

  show(): void {
    const window = this.#window;
    if (!window) return;
    window.setBounds(this.#bounds());
    // Opens on the user's current space, then belongs only to that one.
    window.setVisibleOnAllWorkspaces(true, { visibleOnFullScreen: true, skipTransformProcessType: true });
    window.show();
    window.setVisibleOnAllWorkspaces(false, { visibleOnFullScreen: true, skipTransformProcessType: true });
    window.focus();
  }

  hide(): void {
    this.#window?.hide();
  }

  send(push: Push): void {
    const contents = this.#window?.webContents;
    if (contents && !contents.isDestroyed() && !contents.isCrashed()) contents.send(PUSH_CHANNEL, push);
  }

  /** From now on, closing destroys the window. */
  allowClose(): void {
    this.#quitting = true;
  }

  #onBlur(window: BrowserWindow): void {
    if (window.webContents.isDevToolsOpened()) return;
    this.#blurredAt = this.#options.clock.now();
    window.hide();
  }

  /** The page restores itself from a snapshot, so reloading after a crash loses no state. */
  #onCrash(window: BrowserWindow, reason: string): void {
    const now = this.#options.clock.now();
    this.#options.logger.warn('page process gone', { reason });
    if (this.#quitting || reason === 'clean-exit' || now - this.#reloadedAt < RELOAD_GUARD_MS) return;
    this.#reloadedAt = now;
    window.webContents.reload();
  }

  #bounds(): Rectangle {
    const tray = this.#options.trayBounds();
    const { screen } = this.#options.electron;
    const { workArea } =
      tray.width === 0
        ? screen.getPrimaryDisplay()
        : screen.getDisplayNearestPoint({ x: Math.round(tray.x + tray.width / 2), y: Math.round(tray.y) });
    return popoverBounds({ tray, workArea, platform: this.#options.platform });
  }
}
