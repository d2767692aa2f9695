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
  /** `--data-dir`, if given: takes precedence over the environment. */
  argument?: string | undefined;
  processes: Pick<ProcessTable, 'identify'>;
}

/** Minimum length of a token that the user chooses. */
const MIN_TOKEN_CHARS = 8;

/** The data folder while this process holds its lock. */
export interface DataDir {
  path: string;
  /** New at each start; `/health` reports it, so that our own listener is recognised under any address. */
  instanceId: string;
  /** `TANDEM_WEB_TOKEN`, else a random token, created once per folder and stored in `web-token`. */
  webToken: string;
  /** Call when the database is open: marks the folder as Tandem's and makes it private. Rejects like `openDataDir`. */
  claim(): Promise<void>;
  /** Releases the lock; no effect if it is not ours any more. */
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
 * Creates the folder (0700) if it is missing and takes its lock. Rejects with `data_dir_foreign` if it belongs to
 * another program, `environment_invalid` for a token that is too short, `data_dir_locked` if a running instance holds
 * it, `disk_full`, or `read_only` if it cannot be written.
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
    // The path may be a link to the folder.
    await makePrivateFolder(await realpath(path));
  } catch (error) {
    throw toFolderError(error, path);
  }
}

/** `TANDEM_WEB_TOKEN`; null = unset. A short token is rejected: anyone who guesses it can read all chats. */
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

/** The token stored in this folder. One that is too short (a damaged file) is replaced. */
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

/** The lock is an SQLite file: its write failures have SQLite's codes for the same causes. */
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
