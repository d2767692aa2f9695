import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as electron from 'electron';
import { version } from '../../package.json';
import { assemble } from './core/assemble';
import { runApp } from './electron/run-app';
import { safeCipher } from './electron/safe-cipher';
import { systemClock } from './ports/clock';
import { dataDirPath } from './store/data-dir';
import { checkDataFolder } from './store/data-folder';

/** The Electron host. Desktop code is in `electron/`; the core answers requests. */

const OUT = resolve(import.meta.dirname, '..');
const resourcesDir = electron.app.isPackaged ? process.resourcesPath : resolve(OUT, '..', 'resources');
// Electron's own executable runs no scripts (fuses): a package contains a Node, `npm start` passes one.
const node = electron.app.isPackaged
  ? join(resourcesDir, 'bin', 'node')
  : (process.env.TANDEM_NODE ?? 'node');

// That Node runs it and cannot read inside the archive.
const scanScript = join(import.meta.dirname, 'scan-child.js').replace('app.asar', 'app.asar.unpacked');

// Chromium has its own options, so unknown ones are accepted.
const { values: argv } = parseArgs({
  args: process.argv.slice(electron.app.isPackaged ? 1 : 2),
  strict: false,
  options: {
    json: { type: 'boolean' },
    'data-dir': { type: 'string' },
    'no-system-packages': { type: 'boolean' },
  },
});
const dataDir = typeof argv['data-dir'] === 'string' ? argv['data-dir'] : undefined;
const dataFolder = dataDirPath({
  env: process.env,
  platform: process.platform,
  home: homedir(),
  argument: dataDir,
});

void runApp({
  electron,
  preload: join(OUT, 'preload', 'index.cjs'),
  rendererDir: join(OUT, 'renderer'),
  iconDir: join(resourcesDir, 'tray'),
  platform: process.platform,
  clock: systemClock,
  process,
  userDataDir: join(dataFolder, 'chromium'),
  checkDataFolder: () => checkDataFolder(dataFolder),
  assemble: (hostSide, locale) =>
    assemble({
      host: 'electron',
      version,
      locale,
      resourcesDir,
      storeWorker: new URL('./store-worker.js', import.meta.url),
      node,
      scanScript,
      dataDir,
      systemPackages: argv['no-system-packages'] !== true,
      json: argv.json === true,
      cipher: safeCipher(electron.safeStorage, process.platform),
      shell: hostSide,
    }),
});
