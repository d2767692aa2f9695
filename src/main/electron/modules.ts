import type * as Electron from 'electron';

/**
 * The parts of Electron that the shell uses, handed in by `src/main/index.ts`: every other file takes types only, so
 * all of it runs under plain Node in tests.
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
