import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's `resources/` folder. */
export const resourcesDir = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The project's root folder (in a packaged app: the folder that contains `resources/`). */
export const projectDir = join(resourcesDir, '..');

/**
 * Reads `resources/runtimes.json`, where all versions are pinned.
 *
 * @param {string} [file]
 */
export function readManifest(file = join(resourcesDir, 'runtimes.json')) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * Compares dotted versions number by number; missing numbers count as 0.
 *
 * @param {string} left
 * @param {string} right
 * @returns {number} negative, 0 or positive, as for Array.sort
 */
export function compareVersions(left, right) {
  const a = left.split('.').map(Number);
  const b = right.split('.').map(Number);
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] || 0) - (b[i] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
