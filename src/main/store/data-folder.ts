import { lstatSync, readdirSync } from 'node:fs';
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import names from '../../../resources/data-folder.json';
import { TandemError } from '../../shared/errors';
import { errorCode } from '../ports/file-store';

/** Determines the owner of a data folder by its marker and by the names in it; set-up reads the same names. */

const whole = (patterns: readonly string[], ending = '') => new RegExp(`^(${patterns.join('|')})${ending}$`);
const FOLDERS: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(names.folders));
const FROM_THE_SYSTEM = whole(names.fromTheSystem);

const MARKER_TEXT = `Tandem keeps its settings, chats and logs in this folder, and removes only its own files from it.
`;

/**
 * Throws `data_dir_foreign` for a folder that Tandem must not use: it has neither our marker nor our database, and
 * contains a file that is not ours. A folder that is missing or unreadable passes: opening it reports the error.
 */
export function checkDataFolder(folder: string): void {
  const entries = entriesOf(folder);
  if (entries.includes(names.marker) || entries.includes(names.database)) return;
  const foreign = entries.find((name) => !isOwn(folder, name) && !FROM_THE_SYSTEM.test(name));
  if (foreign === undefined) return;
  throw new TandemError(
    'data_dir_foreign',
    `${folder} has files of another program in it (${foreign}) and was not used before, so Tandem leaves it alone. Name an empty or a new folder with TANDEM_DATA_DIR or --data-dir.`,
    { details: { path: folder, entry: foreign } },
  );
}

/** Marks the folder as Tandem's. Rejects with the file system's error. */
export async function markDataFolder(folder: string): Promise<void> {
  await writeFile(join(folder, names.marker), MARKER_TEXT, { flag: 'wx', mode: 0o600 }).catch((error) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
}

/** Removes partial files of an instance that was killed during a write: never a complete file, and only ours. */
export async function removeHalfFiles(folder: string): Promise<void> {
  await removeHalves(folder, names.files);
  for (const [name, patterns] of FOLDERS) {
    // An unreadable subfolder is reported by the code that needs it.
    if (name !== names.browserFolder && isFolder(join(folder, name)))
      await removeHalves(join(folder, name), patterns).catch(() => {});
  }
}

async function removeHalves(folder: string, patterns: readonly string[]): Promise<void> {
  const half = whole(patterns, names.half);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isFile() && half.test(entry.name)) await unlink(join(folder, entry.name));
  }
}

function isOwn(folder: string, name: string): boolean {
  const patterns = FOLDERS.get(name);
  if (!patterns) return whole(names.files, `${names.half}?`).test(name);
  const path = join(folder, name);
  const own = whole(patterns, `${names.half}?`);
  return !isFolder(path) || entriesOf(path).every((entry) => own.test(entry));
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
