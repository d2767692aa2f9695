import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TandemError } from '../../shared/errors';
import { errorCode } from '../ports/file-store';
import { makePrivateFile, makePrivateFolder } from '../ports/private-files';
import type { ProcessTable } from '../ports/spawner';
import { checkDataFolder, markDataFolder, removeHalfFiles } from './data-folder';
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

/** Characters of a token that a person chooses. */
const MIN_TOKEN_CHARS = 8;

/** The data folder while this process holds it. */
export interface DataDir {
  path: string;
  /** New at each start; `/health` tells it, so that a listener of our own is recognised under any address. */
  instanceId: string;
  /** `TANDEM_WEB_TOKEN`, else random, made once per folder and kept in `web-token`. */
  webToken: string;
  /** Call when the database is open: marks the folder as Tandem's and closes it to others. Rejects as opening does. */
  claim(): Promise<void>;
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
 * Creates the folder (0700) if it is not there and takes its lock. Rejects with `data_dir_foreign` when it belongs to
 * something else, `environment_invalid` for a token that can be guessed, `data_dir_locked` when a living instance holds it,
 * `disk_full`, or `read_only` when it cannot be written.
 */
export async function openDataDir(options: DataDirOptions): Promise<DataDir> {
  const path = dataDirPath(options);
  const instanceId = randomUUID();
  let lock: InstanceLock | null = null;
  checkDataFolder(path);
  const givenToken = tokenFrom(options.env);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    lock = await lockInstance(join(path, 'instance.json'), instanceId, options.processes);
    await removeHalfFiles(path);
    const webToken = givenToken ?? (await keptToken(join(path, 'web-token')));
    return { path, instanceId, webToken, claim: () => claim(path), release: lock.release };
  } catch (error) {
    await lock?.release();
    throw toFolderError(error, path);
  }
}

async function claim(path: string): Promise<void> {
  try {
    await markDataFolder(path);
    // The folder may be named by a link.
    await makePrivateFolder(await realpath(path));
  } catch (error) {
    throw toFolderError(error, path);
  }
}

/** `TANDEM_WEB_TOKEN`; null = unset. Whoever guesses it reads all chats, so a short one is refused. */
function tokenFrom(env: DataDirOptions['env']): string | null {
  const token = env.TANDEM_WEB_TOKEN ?? '';
  if (token === '') return null;
  if (token.length >= MIN_TOKEN_CHARS) return token;
  throw new TandemError(
    'environment_invalid',
    `TANDEM_WEB_TOKEN is too short to be safe. Give it at least ${MIN_TOKEN_CHARS} characters, or unset it to have one made.`,
    { details: { name: 'TANDEM_WEB_TOKEN' } },
  );
}

/** The token of this folder. One that is too short to be safe (a damaged file) is replaced. */
async function keptToken(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (/^[\w-]{32,}$/.test(kept.trim())) {
    makePrivateFile(file);
    return kept.trim();
  }
  const token = randomBytes(32).toString('base64url');
  await writeFile(file, token, { mode: 0o600 });
  makePrivateFile(file);
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
