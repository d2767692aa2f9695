import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from './process-identity.js';
import { readStamp } from './stamp.js';

/** `.in-use-<pid>.json`: the runtimes that a running Tandem uses (written by src/main/setup/runtime-marks.ts). */
export const markFile = /^\.in-use-\d+\.json(\.\d+)?$/;

/**
 * The running instances of Tandem that use these runtimes. Removes marks of instances that no longer run (same pid
 * **and** start time).
 *
 * @param {string} root the runtime folder
 * @param {(pid: number) => string | undefined} [startOf]
 * @returns {{ pid: number, paths: string[] }[]}
 */
export function instancesUsing(root, startOf = processStart) {
  if (!existsSync(root)) return [];
  const using = [];
  for (const name of readdirSync(root).filter((entry) => markFile.test(entry))) {
    const mark = readStamp(join(root, name));
    const start = Number.isInteger(mark?.pid) ? startOf(mark.pid) : undefined;
    if (start !== undefined && start === mark.startedAt && Array.isArray(mark.paths))
      using.push({ pid: mark.pid, paths: mark.paths });
    else rmSync(join(root, name), { force: true });
  }
  return using;
}

/**
 * @param {string} folder of a runtime
 * @param {readonly string[]} paths that are in use
 */
export function isUsed(folder, paths) {
  return paths.some((path) => path === folder || path.startsWith(`${folder}/`));
}
