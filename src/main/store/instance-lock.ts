import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { TandemError } from '../../shared/errors';
import { errorCode } from '../ports/file-store';
import type { ProcessTable } from '../ports/spawner';

const holderSchema = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  instanceId: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

export interface InstanceLock {
  release(): Promise<void>;
}

/**
 * Takes the lock file for this process. A holder is identified by pid and start time, since pids are reused. Takes over
 * the lock of a dead process and an invalid file. Rejects with `data_dir_locked` if the holder is running.
 */
export async function lockInstance(
  file: string,
  instanceId: string,
  processes: Pick<ProcessTable, 'identify'>,
): Promise<InstanceLock> {
  const self = await processes.identify(process.pid);
  const own: Holder = { pid: process.pid, startedAt: self?.startedAt ?? '', instanceId };
  // Each iteration either ends, or finds that another process was faster and checks that one.
  for (;;) {
    const text = readIfThere(file);
    const holder = text === null ? null : parseHolder(text);
    if (holder && (await lives(holder, processes))) throw locked(file, holder);
    if (claim(file, text, own)) return { release: () => release(file, instanceId) };
  }
}

/**
 * Writes the lock if the file has not changed since it was checked. Only one process at a time gets here: SQLite's
 * exclusive transaction is the only lock between processes that Node has, and the OS releases it when a process dies.
 */
function claim(file: string, judged: string | null, holder: Holder): boolean {
  const guard = file.replace(/\.json$/, '.lock');
  closeSync(openSync(guard, 'a', 0o600));
  const mutex = new DatabaseSync(guard, { timeout: 5000 });
  try {
    mutex.exec('BEGIN EXCLUSIVE');
    if (readIfThere(file) !== judged) return false;
    const draft = `${file}.${holder.instanceId}`;
    writeFileSync(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
    renameSync(draft, file);
    return true;
  } finally {
    mutex.close();
  }
}

async function release(file: string, instanceId: string): Promise<void> {
  const text = readIfThere(file);
  if (text !== null && parseHolder(text)?.instanceId === instanceId) await rm(file, { force: true });
}

async function lives(holder: Holder, processes: Pick<ProcessTable, 'identify'>): Promise<boolean> {
  return (await processes.identify(holder.pid))?.startedAt === holder.startedAt;
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function parseHolder(text: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function locked(file: string, holder: Holder): TandemError {
  const folder = dirname(file);
  return new TandemError(
    'data_dir_locked',
    `${folder} is used by process ${holder.pid}. Quit that Tandem, or start this one with another folder (--data-dir or TANDEM_DATA_DIR).`,
    { details: { folder, pid: holder.pid } },
  );
}
