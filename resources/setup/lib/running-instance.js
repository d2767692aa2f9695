import { join } from 'node:path';
import { processStart } from './process-identity.js';
import { readStamp } from './stamp.js';

/**
 * The Tandem that holds a data folder, from its lock file `instance.json` (`{"pid","startedAt",…}`; the start time
 * distinguishes it from a later process with the same pid).
 *
 * @param {string} dataDir
 * @param {(pid: number) => string | undefined} [startOf]
 * @returns {{ pid: number } | undefined} undefined if none runs
 */
export function runningInstance(dataDir, startOf = processStart) {
  const holder = readStamp(join(dataDir, 'instance.json'));
  if (!Number.isInteger(holder?.pid)) return undefined;
  const start = startOf(holder.pid);
  return start !== undefined && start === holder.startedAt ? { pid: holder.pid } : undefined;
}
