import { join } from 'node:path';
import type { NativeImage, Rectangle, Tray } from 'electron';
import type { MenuActions } from './menus';
import { trayMenu } from './menus';
import type { ElectronModules } from './modules';
import type { ShellStrings } from './strings';
import { type ShellFacts, TRAY_SHAPES, type TrayShape, trayShape, trayTooltip } from './tray-state';

export interface TrayIconOptions {
  electron: Pick<ElectronModules, 'Menu' | 'nativeImage' | 'Tray'>;
  /** Folder of the template images. */
  iconDir: string;
  platform: NodeJS.Platform;
  actions: MenuActions;
  onToggle: () => void;
}

/** The menubar icon: shape and tooltip show the state, left click toggles, right click opens the menu. */
export class TrayIcon {
  readonly #options: TrayIconOptions;
  readonly #images: Record<TrayShape, NativeImage>;
  readonly #tray: Tray;
  #shape: TrayShape = 'healthy';
  #tooltip = '';
  #menuKey = '';
  #facts: ShellFacts | null = null;
  #strings: ShellStrings | null = null;

  constructor(options: TrayIconOptions) {
    this.#options = options;
    this.#images = loadImages(options);
    this.#tray = new options.electron.Tray(this.#images.healthy);
    this.#tray.on('click', () => options.onToggle());
    this.#tray.on('right-click', () => this.#popUp());
    if (options.platform === 'darwin') this.#tray.setIgnoreDoubleClickEvents(true);
  }

  bounds(): Rectangle {
    return this.#tray.getBounds();
  }

  /** Shows the facts; changes the icon only if something changed. */
  update(facts: ShellFacts, strings: ShellStrings): void {
    this.#facts = facts;
    this.#strings = strings;
    const shape = trayShape(facts);
    if (shape !== this.#shape) this.#tray.setImage(this.#images[shape]);
    this.#shape = shape;
    const tooltip = trayTooltip(facts, strings);
    if (tooltip !== this.#tooltip) this.#tray.setToolTip(tooltip);
    this.#tooltip = tooltip;
    // Linux desktops report no clicks; they show a menu that must be set in advance.
    if (this.#options.platform !== 'linux') return;
    const template = trayMenu(facts, strings, this.#options.actions);
    const key = JSON.stringify(template);
    if (key !== this.#menuKey)
      this.#tray.setContextMenu(this.#options.electron.Menu.buildFromTemplate(template));
    this.#menuKey = key;
  }

  destroy(): void {
    this.#tray.destroy();
  }

  /** Built on demand, so that it is always current. */
  #popUp(): void {
    if (this.#facts && this.#strings) this.#tray.popUpContextMenu(this.#menu(this.#facts, this.#strings));
  }

  #menu(facts: ShellFacts, strings: ShellStrings): Electron.Menu {
    return this.#options.electron.Menu.buildFromTemplate(trayMenu(facts, strings, this.#options.actions));
  }
}

function loadImages({ electron, iconDir }: TrayIconOptions): Record<TrayShape, NativeImage> {
  const load = (shape: TrayShape) => {
    const image = electron.nativeImage.createFromPath(join(iconDir, `${shape}Template.png`));
    image.setTemplateImage(true);
    return image;
  };
  return Object.fromEntries(TRAY_SHAPES.map((shape) => [shape, load(shape)])) as Record<
    TrayShape,
    NativeImage
  >;
}
