import type * as Electron from 'electron';

/**
 * The parts of Electron that the shell uses, passed in by `src/main/index.ts`: all other files import only types, so
 * they run under plain Node in tests.
 */
export type ElectronModules = Pick<
  typeof Electron,
  | 'app'
  | 'BrowserWindow'
  | 'dialog'
  | 'globalShortcut'
  | 'ipcMain'
  | 'Menu'
  | 'nativeImage'
  | 'Notification'
  | 'powerMonitor'
  | 'protocol'
  | 'screen'
  | 'shell'
  | 'Tray'
>;
