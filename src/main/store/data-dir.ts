import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TandemError } from '../../shared/errors';
import { errorCode, makePrivateFolder } from '../ports/file-store';
import type { ProcessTable } from '../ports/spawner';
import { type InstanceLock, lockInstance } from './instance-lock';
import { sqliteCode, toStoreError } from './sqlite-errors';

export interface DataDirOptions {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  /** The user's home folder. */
  home: string;
  /** `--data-dir`, if given: wins over the environment. */
  argument?: string | undefined;
  processes: Pick<ProcessTable, 'identify'>;
}

/** The data folder while this process holds it. */
export interface DataDir {
  path: string;
  /** New at each start; `/health` tells it, so that a listener of our own is recognised under any address. */
  instanceId: string;
  /** `TANDEM_WEB_TOKEN`, else random, made once per folder and kept in `web-token`. */
  webToken: string;
  /** Gives the folder back; without effect when it is not ours any more. */
  release(): Promise<void>;
}

/** `--data-dir`, else `TANDEM_DATA_DIR`, else the OS's folder for application data + `Tandem`. */
export function dataDirPath({ env, platform, home, argument }: Omit<DataDirOptions, 'processes'>): string {
  const given = argument || env.TANDEM_DATA_DIR;
  if (given) return resolve(given);
  const parent =
    platform === 'darwin'
      ? join(home, 'Library', 'Application Support')
      : env.XDG_CONFIG_HOME || join(home, '.config');
  return join(parent, 'Tandem');
}

/**
 * Creates the folder (0700) and takes its lock. Rejects with `data_dir_locked` when a living instance holds it,
 * `disk_full`, or `read_only` when it cannot be written.
 */
export async function openDataDir(options: DataDirOptions): Promise<DataDir> {
  const path = dataDirPath(options);
  const instanceId = randomUUID();
  let lock: InstanceLock | null = null;
  try {
    await makePrivateFolder(path);
    lock = await lockInstance(join(path, 'instance.json'), instanceId, options.processes);
    await removeHalfFiles(path);
    const webToken = options.env.TANDEM_WEB_TOKEN || (await keptToken(join(path, 'web-token')));
    return { path, instanceId, webToken, release: lock.release };
  } catch (error) {
    await lock?.release();
    throw toFolderError(error, path);
  }
}

/** What an instance that was killed in the middle of a write has left: never a whole file, and nobody's any more. */
async function removeHalfFiles(path: string, deeper = true): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const each = join(path, entry.name);
    if (entry.isFile() && /\.tmp(-journal)?$/.test(entry.name)) await unlink(each);
    // A folder below that cannot be read is named by whoever needs it.
    else if (entry.isDirectory() && deeper) await removeHalfFiles(each, false).catch(() => {});
  }
}

/** The token of this folder. One that is too short to be safe (a damaged file) is replaced. */
async function keptToken(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (/^[\w-]{32,}$/.test(kept.trim())) {
    await chmod(file, 0o600);
    return kept.trim();
  }
  const token = randomBytes(32).toString('base64url');
  await writeFile(file, token, { mode: 0o600 });
  await chmod(file, 0o600);
  return token;
}

/** The lock is an SQLite file: its failures to write say the same in codes of their own. */
function folderCode(error: unknown): string | null {
  switch (sqliteCode(error) === null ? null : toStoreError(error).code) {
    case 'disk_full':
      return 'ENOSPC';
    case 'read_only':
    case 'database_unreadable':
      return 'EACCES';
    default:
      return errorCode(error) ?? null;
  }
}

function toFolderError(error: unknown, path: string): unknown {
  const cause = { cause: error, details: { path } };
  switch (folderCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TandemError(
        'disk_full',
        `The disk of ${path} is full. Free some space, then start again.`,
        cause,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
      return new TandemError(
        'read_only',
        `The data folder ${path} cannot be written. Give your user the right to, or name another with TANDEM_DATA_DIR or --data-dir.`,
        cause,
      );
    default:
      return error;
  }
}
