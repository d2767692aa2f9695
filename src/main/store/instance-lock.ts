import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
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

const ATTEMPTS = 5;

/**
 * Takes the lock file for this process. A holder is its pid together with its start time, since pids are reused; the
 * lock of a dead one, or a file that names none, is taken over. Rejects with `data_dir_locked` when the holder lives.
 */
export async function lockInstance(
  file: string,
  instanceId: string,
  processes: Pick<ProcessTable, 'identify'>,
): Promise<InstanceLock> {
  const self = await processes.identify(process.pid);
  const own: Holder = { pid: process.pid, startedAt: self?.startedAt ?? '', instanceId };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await create(file, own)) return { release: () => release(file, instanceId) };
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text === null) continue;
    const holder = parseHolder(text);
    if (holder && (await lives(holder, processes))) throw locked(file, holder);
    await removeStale(file, text, instanceId);
  }
  throw locked(file, null);
}

const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** False when the file is there already. Linking a complete file means that no reader ever sees half of it. */
async function create(file: string, holder: Holder): Promise<boolean> {
  const draft = `${file}.${holder.instanceId}`;
  const text = `${JSON.stringify(holder)}\n`;
  await writeFile(draft, text, { mode: 0o600 });
  try {
    await link(draft, file).catch((error) => {
      if (!NO_HARD_LINKS.includes(errorCode(error) ?? '')) throw error;
      return writeFile(file, text, { mode: 0o600, flag: 'wx' });
    });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Another starter may have replaced the stale file since it was read: what is not the one judged goes back. */
async function removeStale(file: string, judged: string, instanceId: string): Promise<void> {
  const aside = `${file}.stale-${instanceId}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== judged) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
}

async function release(file: string, instanceId: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text !== null && parseHolder(text)?.instanceId === instanceId) await rm(file, { force: true });
}

async function lives(holder: Holder, processes: Pick<ProcessTable, 'identify'>): Promise<boolean> {
  return (await processes.identify(holder.pid))?.startedAt === holder.startedAt;
}

function parseHolder(text: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function locked(file: string, holder: Holder | null): TandemError {
  const folder = dirname(file);
  const who = holder ? `process ${holder.pid}` : 'another Tandem';
  return new TandemError(
    'data_dir_locked',
    `${folder} is used by ${who}. Quit that Tandem, or start this one with another folder (--data-dir or TANDEM_DATA_DIR).`,
    { details: { folder, pid: holder?.pid ?? null } },
  );
}
