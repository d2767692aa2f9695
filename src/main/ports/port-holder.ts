import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { TandemError } from '../../shared/errors';

/** The process that listens on a port. */
export interface PortHolder {
  pid: number;
  /** Name of its program. */
  name: string;
}

/** Longest delay of a start by the search for the holder, ms. */
const LIMIT_MS = 2_000;

/** The process that listens on this local TCP port. Null when it cannot be found; never rejects. */
export async function findPortHolder(port: number, platform = process.platform): Promise<PortHolder | null> {
  const search = platform === 'linux' ? holderFromProc(port) : holderFromLsof(port);
  const giveUp = new Promise<null>((resolve) => setTimeout(() => resolve(null), LIMIT_MS).unref());
  return Promise.race([search.catch(() => null), giveUp]);
}

/** `port_taken` with the holder's name if it is known, and the variable that sets another port. */
export function portTaken(port: number, holder: PortHolder | null, variable: string): TandemError {
  const who = holder ? `${holder.name} (process ${holder.pid})` : 'another program';
  return new TandemError(
    'port_taken',
    `Port ${port} is taken by ${who}. Stop it, or choose another port with ${variable}.`,
    { details: { port, holder: holder?.name ?? null, pid: holder?.pid ?? null } },
  );
}

/** The error for a failed bind other than a taken port: a plain message for known causes. */
export function bindFailure(error: unknown, port: number, host: string, variable: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
      return new TandemError(
        'environment_invalid',
        `Port ${port} may not be opened by this user. Choose one above 1023 with ${variable}.`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new TandemError(
        'environment_invalid',
        `${host} is no address of this machine. Use 127.0.0.1, or set ${variable.replace(/_PORT$/, '_HOST')} to one that is.`,
        { cause: error },
      );
    default:
      return error;
  }
}

/** Linux: the socket's inode from the kernel's table of listeners, then the process that holds that inode. */
async function holderFromProc(port: number): Promise<PortHolder | null> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const inodes = new Set(tables.flatMap((table) => listenerInodes(table, port)));
  if (inodes.size === 0) return null;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || !(await holdsSocket(entry, inodes))) continue;
    const [commandLine, threadName] = await Promise.all(
      ['cmdline', 'comm'].map((file) => readFile(`/proc/${entry}/${file}`, 'utf8').catch(() => '')),
    );
    return { pid: Number(entry), name: programName(commandLine ?? '', threadName ?? '') };
  }
  return null;
}

/**
 * Name of a program from `/proc/<pid>/cmdline`; the kernel's own name is that of the main thread, which is "MainThread"
 * for every Node and Python.
 */
export function programName(commandLine: string, threadName: string): string {
  const [program = ''] = commandLine.split('\0', 1);
  return basename(program) || threadName.trim();
}

/** Inodes of the sockets that listen on a port, from the text of `/proc/net/tcp` (state 0A is LISTEN). */
export function listenerInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local?.endsWith(suffix) && state === '0A' && inode !== undefined ? [inode] : [];
  });
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for (const descriptor of await readdir(folder).catch(() => [])) {
    const target = await readlink(`${folder}/${descriptor}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

function holderFromLsof(port: number): Promise<PortHolder | null> {
  const args = ['-nP', '-F', 'pc', `-iTCP:${port}`, '-sTCP:LISTEN'];
  return new Promise((resolve) => {
    execFile('lsof', args, { timeout: LIMIT_MS }, (_error, stdout) => resolve(parseLsof(stdout)));
  });
}

/** First process in the output of `lsof -F pc`: a line `p<pid>`, then a line `c<command>`. */
export function parseLsof(output: string): PortHolder | null {
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  const name = /^c(.+)$/m.exec(output)?.[1];
  return pid === undefined || name === undefined ? null : { pid: Number(pid), name };
}
