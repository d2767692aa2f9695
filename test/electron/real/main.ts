import './node-16';
import { join } from 'node:path';
import { app } from 'electron';
import { runApp } from '../../../src/main/electron/run-app';
import { systemClock } from '../../../src/main/ports/clock';
import { checkDataFolder } from '../../../src/main/store/data-folder';
import { assembleInNode } from './core-in-node';
import { oldElectron } from './old-electron';
import type { WindowTest } from './window-app';

/** Main process of the window test: what `src/main/index.ts` does, in Electron 22 and over a core in another process. */

const ROOT = process.cwd();
const { trayBounds, dataDir, node, core, pagePreload } = JSON.parse(
  process.env.TANDEM_WINDOW_TEST ?? '',
) as WindowTest;

app.on('session-created', (session) => session.setPreloads([pagePreload]));

void runApp({
  electron: oldElectron((icon) => Object.assign(globalThis, { tandemIcon: icon }), trayBounds),
  preload: join(ROOT, 'out', 'preload', 'index.cjs'),
  rendererDir: join(ROOT, 'out', 'renderer'),
  iconDir: join(ROOT, 'resources', 'tray'),
  platform: process.platform,
  clock: systemClock,
  process,
  userDataDir: join(dataDir, 'chromium'),
  checkDataFolder: () => checkDataFolder(dataDir),
  assemble: (shell, locale) => assembleInNode({ node, script: core }, shell, locale),
});
