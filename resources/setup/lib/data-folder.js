import { lstatSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { resourcesDir } from './manifest.js';

/** The names that Tandem uses in a data folder; the program reads the same file (src/main/store/data-folder.ts). */
const names = JSON.parse(readFileSync(join(resourcesDir, 'data-folder.json'), 'utf8'));

const whole = (patterns, ending = '') => new RegExp(`^(${patterns.join('|')})${ending}$`);
const ownFile = whole(names.files, `${names.half}?`);
const fromTheSystem = whole(names.fromTheSystem);

/**
 * Sorts the entries of a data folder into Tandem's and foreign ones.
 *
 * @param {string} folder
 * @returns {{ own: string[], foreign: string[] }} names in the folder; one foreign entry makes the folder foreign
 */
export function sortEntries(folder) {
  const own = [];
  const foreign = [];
  for (const name of entriesOf(folder)) {
    if (isOwn(folder, name)) own.push(name);
    else if (!fromTheSystem.test(name)) foreign.push(name);
  }
  return { own, foreign };
}

/**
 * Whether Tandem may use the folder: it is missing, has our marker or database, or has no foreign entries.
 *
 * @param {string} folder
 */
export function mayUse(folder) {
  const entries = entriesOf(folder);
  return (
    entries.includes(names.marker) ||
    entries.includes(names.database) ||
    sortEntries(folder).foreign.length === 0
  );
}

/**
 * Tandem's paths in a data folder: the folder itself if nothing else is in it, else only Tandem's entries. If the user
 * replaced it by a link, the link and the linked folder belong to the user.
 *
 * @param {string} folder
 * @returns {string[]} empty if the folder is missing or not ours
 */
export function ownPaths(folder) {
  if (entriesOf(folder).length === 0 || !mayUse(folder)) return [];
  const { own, foreign } = sortEntries(folder);
  if (foreign.length === 0 && isFolder(folder)) return [folder];
  const inFolders = foreign
    .filter((name) => isOwnFolder(folder, name))
    .flatMap((name) => ownIn(folder, name));
  return [...own.map((name) => join(folder, name)), ...inFolders];
}

/** Removes an empty folder; a link stays. */
export function removeIfEmpty(folder) {
  if (isFolder(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

function isOwn(folder, name) {
  if (!Object.hasOwn(names.folders, name)) return ownFile.test(name);
  const path = join(folder, name);
  return !isFolder(path) || entriesOf(path).every((entry) => isOwnIn(name, entry));
}

function isOwnFolder(folder, name) {
  return Object.hasOwn(names.folders, name) && isFolder(join(folder, name));
}

function ownIn(folder, name) {
  const path = join(folder, name);
  return entriesOf(path)
    .filter((entry) => isOwnIn(name, entry))
    .map((entry) => join(path, entry));
}

function isOwnIn(folderName, entry) {
  return whole(names.folders[folderName], `${names.half}?`).test(entry);
}

function entriesOf(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function isFolder(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
