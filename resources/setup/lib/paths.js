import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @typedef {object} Place the machine of this process; passed in, so that tests can describe any machine
 * @property {Record<string, string | undefined>} env
 * @property {string} platform as `process.platform`
 * @property {string} home the user's home folder
 */

/**
 * Folder of the managed runtimes, shared by all data folders: `TANDEM_RUNTIME_DIR`, else the OS's cache
 * folder + `Tandem/runtimes`.
 *
 * @param {Place} place
 */
export function runtimeDir({ env, platform, home }) {
  if (env.TANDEM_RUNTIME_DIR) return env.TANDEM_RUNTIME_DIR;
  const cache =
    platform === 'darwin' ? join(home, 'Library', 'Caches') : env.XDG_CACHE_HOME || join(home, '.cache');
  return join(cache, 'Tandem', 'runtimes');
}

/**
 * Folder of settings, database and logs: `TANDEM_DATA_DIR`, else the OS's application-data folder + `Tandem`.
 *
 * @param {Place} place
 */
export function dataDir({ env, platform, home }) {
  if (env.TANDEM_DATA_DIR) return env.TANDEM_DATA_DIR;
  const data =
    platform === 'darwin'
      ? join(home, 'Library', 'Application Support')
      : env.XDG_CONFIG_HOME || join(home, '.config');
  return join(data, 'Tandem');
}

/**
 * Folders to search for programs: PATH, then the usual ones that an app started from Finder does not have on its PATH.
 *
 * @param {Place} place
 * @returns {string[]} without duplicates, in order
 */
export function programDirs({ env, platform, home }) {
  const usual = [
    ...(platform === 'darwin' ? ['/opt/homebrew/bin', '/opt/local/bin'] : []),
    '/usr/local/bin',
    '/usr/local/go/bin',
    join(home, '.pyenv', 'shims'),
    join(home, '.local', 'bin'),
    '/usr/bin',
    '/bin',
  ];
  return [...new Set([...(env.PATH ?? '').split(delimiter).filter(Boolean), ...usual])];
}

/**
 * First file with one of these names in the program folders.
 *
 * @param {Place} place
 * @param {string[]} names tried in this order
 * @returns {string | undefined}
 */
export function findProgram(place, names) {
  for (const name of names) {
    for (const dir of programDirs(place)) {
      const file = join(dir, name);
      if (existsSync(file)) return file;
    }
  }
  return undefined;
}

/** This process's own place. */
export function ownPlace(home) {
  return { env: process.env, platform: process.platform, home };
}
