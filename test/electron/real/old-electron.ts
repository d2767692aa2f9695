import {
  app,
  BrowserWindow,
  type Dialog,
  globalShortcut,
  ipcMain,
  Menu,
  Notification,
  nativeImage,
  powerMonitor,
  protocol,
  type Rectangle,
  screen,
  shell,
  Tray,
} from 'electron';
import type { ElectronModules } from '../../../src/main/electron/modules';

/** The part of Electron 22's `protocol` that later versions replace by `handle`. */
interface OldProtocol {
  registerBufferProtocol(
    scheme: string,
    answer: (
      request: { url: string; method: string },
      respond: (response: { statusCode: number; headers: Record<string, string>; data: Buffer }) => void,
    ) => void,
  ): boolean;
}

/** The menubar icon, as the test sees it: `globalThis.tandemIcon` in Electron's process. */
export interface Icon {
  tray: Tray;
  image: Electron.NativeImage;
  menu: Menu | null;
}

/** Electron 22's modules, with what the shell uses and only later versions have. */
export function oldElectron(onIcon: (icon: Icon) => void, trayBounds: Rectangle): ElectronModules {
  /** No program shows icons here, so the icon's bounds are given. */
  class GivenTray {
    constructor(image: Electron.NativeImage) {
      const tray = new Tray(image);
      const icon: Icon = { tray, image, menu: null };
      const setContextMenu = tray.setContextMenu.bind(tray);
      tray.getBounds = () => trayBounds;
      tray.setContextMenu = (menu) => {
        icon.menu = menu;
        setContextMenu(menu);
      };
      onIcon(icon);
      // biome-ignore lint/correctness/noConstructorReturn: Electron's class cannot be extended
      return tray;
    }
  }
  // Chromium's sandbox does not run as root.
  app.enableSandbox = () => {};
  return {
    app,
    BrowserWindow,
    // A dialog would wait for somebody who closes it.
    dialog: { showErrorBox: (title: string, text: string) => console.error(`${title}: ${text}`) } as Dialog,
    globalShortcut,
    ipcMain,
    Menu,
    Notification,
    nativeImage,
    powerMonitor,
    protocol: {
      registerSchemesAsPrivileged: protocol.registerSchemesAsPrivileged.bind(protocol),
      handle: handleBuffers,
    } as unknown as ElectronModules['protocol'],
    screen,
    shell,
    Tray: GivenTray as unknown as ElectronModules['Tray'],
  };
}

function handleBuffers(scheme: string, handler: (request: Request) => Promise<Response>): void {
  (protocol as unknown as OldProtocol).registerBufferProtocol(scheme, (request, respond) => {
    void handler(request as Request).then(async (response) =>
      respond({
        statusCode: response.status,
        headers: Object.fromEntries(response.headers),
        data: Buffer.from(await response.arrayBuffer()),
      }),
    );
  });
}
