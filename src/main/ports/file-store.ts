import { randomUUID } from 'node:crypto';
import { appendFile, open, readFile, readlink, rename, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TandemError } from '../../shared/errors';

/** The core's access to small text files. A full disk rejects with `disk_full`; other errors pass unchanged. */
export interface FileStore {
  /** Whole text, or null when the file does not exist. */
  readText(path: string): Promise<string | null>;
  /**
   * Replaces the whole file so that a reader, or a crash, sees the old text or the new one, never a mixture. A link is
   * kept, and its target is replaced.
   */
  replace(path: string, text: string): Promise<void>;
  append(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Bytes; 0 when the file does not exist. */
  size(path: string): Promise<number>;
}

/** The kernel follows as many links. */
const MAX_LINKS = 40;

/** Files readable by their owner only (0600). */
export const nodeFileStore: FileStore = {
  async readText(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    }
  },

  async replace(path, text) {
    const target = await targetOf(path);
    const temporary = `${target}.${randomUUID()}.tmp`;
    try {
      await writeDurably(temporary, text);
      await rename(temporary, target);
      await syncFolder(dirname(target));
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw toFileError(error, path);
    }
  },

  async append(path, text) {
    try {
      await appendFile(path, text, { mode: 0o600 });
    } catch (error) {
      throw toFileError(error, path);
    }
  },

  async rename(from, to) {
    await rename(from, to);
  },

  async size(path) {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return 0;
      throw error;
    }
  },
};

/** The code of a Node system error (`ENOENT` …), if it is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The file that a path refers to: follows links, also when the last target does not exist yet. */
async function targetOf(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const next = await readlink(target).catch(() => null);
    if (next === null) return target;
    target = resolve(dirname(target), next);
  }
  return target;
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The rename itself is only durable once the folder is on disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function toFileError(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new TandemError(
    'disk_full',
    `The disk is full: ${path} was not changed. Free some space, then try again.`,
    {
      cause: error,
      details: { path },
    },
  );
}
