import { join } from 'node:path';
import { processStart } from './process-identity.js';
import { readStamp } from './stamp.js';

/**
 * The Tandem that uses a data folder, by its pid file `tandem.pid` (`{"pid","start"}`; the start time tells it from a
 * later process with the same number).
 *
 * @param {string} dataDir
 * @param {(pid: number) => string | undefined} [startOf]
 * @returns {{ pid: number } | undefined} undefined when none runs
 */
export function runningInstance(dataDir, startOf = processStart) {
  const note = readStamp(join(dataDir, 'tandem.pid'));
  const pid = typeof note === 'number' ? note : note?.pid;
  if (!Number.isInteger(pid)) return undefined;
  const start = startOf(pid);
  if (start === undefined) return undefined;
  const isSame = note.start === undefined || String(note.start) === start;
  return isSame ? { pid } : undefined;
}
