import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { processStart } from './process-identity.js';

/**
 * @typedef {object} Holder content of a lock file
 * @property {number} pid
 * @property {string | undefined} start start time of that process, see processStart
 * @property {{ pid: number, start: string | undefined } | undefined} [child] process group that works for the holder
 */

/** @returns {Holder | undefined} undefined if the file is missing or has no valid holder */
function readHolder(file) {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8'));
    return Number.isInteger(holder?.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the lock, or returns its holder. A lock whose holder no longer runs (same pid **and** start time) is broken;
 * processes that the dead holder left running are ended first.
 *
 * @param {string} file
 * @param {{ pid?: number, startOf?: (pid: number) => string | undefined, endGroup?: (pid: number) => void }} [ports]
 * @returns {{ taken: true, release: () => void, noteChild: (pid: number) => void } | { taken: false, holder: number }}
 */
export function tryLock(file, ports = {}) {
  const { pid = process.pid, startOf = processStart, endGroup = endProcessGroup } = ports;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const own = { pid, start: startOf(pid) };
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
      return {
        taken: true,
        release: () => rmSync(file, { force: true }),
        noteChild: (child) =>
          writeFileSync(file, JSON.stringify({ ...own, child: { pid: child, start: startOf(child) } })),
      };
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = readHolder(file);
    if (holder && startOf(holder.pid) !== undefined && startOf(holder.pid) === holder.start) {
      return { taken: false, holder: holder.pid };
    }
    const child = holder?.child;
    if (child?.start !== undefined && startOf(child.pid) === child.start) endGroup(child.pid);
    removeStale(file, holder);
  }
  return { taken: false, holder: readHolder(file)?.pid ?? 0 };
}

/** Moves the dead holder's file away; a new lock that another process took meanwhile is put back. */
function removeStale(file, holder) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another process was faster
  }
  const moved = readHolder(aside);
  if (moved?.pid === holder?.pid && moved?.start === holder?.start) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

function endProcessGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // gone in the meantime
  }
}

/**
 * Waits for the lock, checking twice a second.
 *
 * @param {string} file
 * @param {{ onWait?: (holder: number) => void, signal?: AbortSignal }} [options] onWait is called once
 * @returns {Promise<{ release: () => void, noteChild: (pid: number) => void }>} rejects with the signal's reason
 */
export async function takeLock(file, { onWait, signal } = {}) {
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    const lock = tryLock(file);
    if (lock.taken) return lock;
    if (!told) onWait?.(lock.holder);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
