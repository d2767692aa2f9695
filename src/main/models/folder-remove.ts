import { lstatSync, readdirSync, realpathSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import type { ModelPlace } from './scan-result';

/** Why a folder is not deleted: it is a link, or it is not inside the scanned place. */
export type Kept = 'link' | 'outside';

/**
 * Deletes a model's folder. In a Hugging Face cache that is the whole `models--org--name`: its blobs are used by its
 * own snapshots only. Links inside are deleted, never followed. A folder that is gone counts as deleted. Synchronous:
 * runs in the process that accesses model folders. Yields after each removed file.
 * @returns null = deleted
 */
export function* removeModelFolder(place: ModelPlace): Generator<'removed', Kept | null> {
  const folder = folderOf(place);
  if (folder === null) return 'outside';
  const kept = whyKept(place.root, folder);
  if (kept !== null) return kept;
  yield* removeAll(folder);
  const locks = join(place.root, '.locks', basename(folder));
  if (place.owner === 'huggingface') rmSync(locks, { recursive: true, force: true });
  return null;
}

function* removeAll(folder: string): Generator<'removed'> {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) yield* removeAll(path);
      else rmSync(path, { force: true });
      yield 'removed';
    }
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Bytes on disk of the folder that `removeModelFolder` would delete; links count as nothing. */
export function measureModelFolder(place: ModelPlace): number {
  const folder = folderOf(place);
  return folder === null ? 0 : bytesIn(folder);
}

/** Null if the path does not lead into the place. */
function folderOf({ owner, root, path }: ModelPlace): string | null {
  const [first, ...rest] = relative(root, path).split(sep);
  if (first === undefined || first === '' || first === '..') return null;
  if (owner !== 'huggingface') return join(root, first, ...rest);
  return first.startsWith('models--') ? join(root, first) : null;
}

function whyKept(root: string, folder: string): Kept | null {
  try {
    if (lstatSync(folder).isSymbolicLink()) return 'link';
    return realpathSync(folder).startsWith(realpathSync(root) + sep) ? null : 'outside';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sum + bytesIn(path);
    return entry.isFile() ? sum + lstatSync(path).size : sum;
  }, 0);
}
