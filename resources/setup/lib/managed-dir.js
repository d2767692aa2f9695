import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compareVersions } from './manifest.js';
import { instancesUsing, isUsed, markFile } from './runtime-marks.js';
import { readStamp, writeStamp } from './stamp.js';

/** In a half-built folder: the recipe that it is built from. */
const recipeFile = 'recipe.json';

/** Written last into every runtime; it distinguishes our folders from others of the same name. */
export const runtimeStamp = 'tandem-runtime.json';

/** Name of the small model's folder; the version is appended. */
export const smallModelFolder = 'smollm2-135m-instruct';

/** Name of the folder of the Electron that `npm test` drives; the version is appended. */
export const testElectronFolder = 'test-electron';

/** The last one is from earlier versions. */
const runtimeNames = ['mlx', 'ollama', smallModelFolder, testElectronFolder, 'starter-training'];
const finished = new RegExp(`^(${runtimeNames.join('|')})-[\\da-f][\\w.]*$`);
/** Half-built runtimes, downloads, locks and files of Electron's download: names that no other program uses. */
const passing = new RegExp(
  `^(\\.(${runtimeNames.join('|')})(-[\\da-f][\\w.]*\\.(building|replaced)|\\.lock(\\.stale-\\d+)?|\\.download)|electron-failure\\.json(\\.\\d+)?|electron-cache|\\.electron-\\w{6})$`,
);

/**
 * Whether an entry of the runtime folder is Tandem's: `TANDEM_RUNTIME_DIR` may contain other files.
 *
 * @param {string} root the runtime folder
 * @param {string} entry
 */
export function isOwnRuntimeEntry(root, entry) {
  return (
    passing.test(entry) ||
    markFile.test(entry) ||
    (finished.test(entry) && existsSync(join(root, entry, runtimeStamp)))
  );
}

/**
 * Folders of one managed runtime: `<name>-<version>`, built in a temporary folder next to it.
 *
 * @param {string} root the runtime folder
 * @param {string} name one of `runtimeNames`
 * @param {string} version
 */
export function managedDir(root, name, version) {
  return {
    root,
    name,
    final: join(root, `${name}-${version}`),
    building: join(root, `.${name}-${version}.building`),
    replaced: join(root, `.${name}-${version}.replaced`),
    download: join(root, `.${name}.download`),
    lock: join(root, `.${name}.lock`),
  };
}

/**
 * Removes the remains of an interrupted set-up (call it only with the lock held) and restores a runtime whose
 * replacement was not published.
 *
 * @param {ReturnType<typeof managedDir>} dir
 * @param {string} [recipe] a half-built folder of this recipe stays, to be resumed
 */
export function cleanHalfBuilt(dir, recipe) {
  mkdirSync(dir.root, { recursive: true, mode: 0o700 });
  if (existsSync(dir.replaced) && !existsSync(dir.final)) renameSync(dir.replaced, dir.final);
  const continued = recipe !== undefined && readStamp(join(dir.building, recipeFile))?.recipe === recipe;
  for (const entry of readdirSync(dir.root)) {
    if (continued && join(dir.root, entry) === dir.building) continue;
    const isHalf = entry.startsWith(`.${dir.name}-`) && /\.(building|replaced)$/.test(entry);
    if (isHalf && isOwnRuntimeEntry(dir.root, entry))
      rmSync(join(dir.root, entry), { recursive: true, force: true });
  }
}

/**
 * Creates the folder to build in, or reuses one of an interrupted set-up with the same recipe.
 *
 * @param {ReturnType<typeof managedDir>} dir
 * @param {string} recipe everything that determines the contents, as one text
 * @returns {boolean} whether one was reused
 */
export function openHalfBuilt(dir, recipe) {
  cleanHalfBuilt(dir, recipe);
  const continued = existsSync(dir.building);
  mkdirSync(dir.building, { recursive: true });
  writeStamp(join(dir.building, recipeFile), { recipe });
  return continued;
}

/**
 * Publishes the finished build; a broken one of the same version is removed only after that. A folder of that name
 * without our stamp belongs to another program (or is incomplete): it is renamed and kept.
 *
 * @param {ReturnType<typeof managedDir>} dir
 */
export function publish(dir) {
  if (existsSync(dir.final)) {
    const ours = isOwnRuntimeEntry(dir.root, basename(dir.final));
    renameSync(dir.final, ours ? dir.replaced : `${dir.final}.kept-${process.pid}`);
  }
  renameSync(dir.building, dir.final);
  rmSync(dir.replaced, { recursive: true, force: true });
}

/**
 * Other complete versions of the runtime on this machine, the newest first.
 *
 * @param {ReturnType<typeof managedDir>} dir
 * @returns {string[]} folders
 */
export function otherVersions(dir) {
  if (!existsSync(dir.root)) return [];
  const versionOf = (entry) => entry.slice(dir.name.length + 1);
  return readdirSync(dir.root)
    .filter((entry) => entry.startsWith(`${dir.name}-`) && isOwnRuntimeEntry(dir.root, entry))
    .filter((entry) => join(dir.root, entry) !== dir.final)
    .sort((a, b) => compareVersions(versionOf(b), versionOf(a)))
    .map((entry) => join(dir.root, entry));
}

/**
 * Removes old versions except the newest of them, the fallback, and those that a running Tandem uses.
 *
 * @param {ReturnType<typeof managedDir>} dir
 * @param {number} [kept] number of newest versions to keep
 * @returns {string[]} removed folders
 */
export function removeOldVersions(dir, kept = 1) {
  const used = instancesUsing(dir.root).flatMap(({ paths }) => paths);
  const old = otherVersions(dir)
    .slice(kept)
    .filter((folder) => !isUsed(folder, used));
  for (const folder of old) rmSync(folder, { recursive: true, force: true });
  return old;
}

/**
 * Size of a file or folder on disk in bytes; links are not followed.
 *
 * @param {string} path
 * @returns {number} 0 if it is missing
 */
export function sizeOf(path) {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.size;
  let total = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) total += sizeOf(join(path, entry.name));
    else if (entry.isFile()) total += lstatSync(join(path, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return total;
}
