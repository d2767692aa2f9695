import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * @param {string} file
 * @returns {any} undefined if the file is missing or not JSON: both mean "not done"
 */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Writes a stamp atomically.
 *
 * @param {string} file its folder must exist
 * @param {unknown} value
 */
export function writeStamp(file, value) {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

/**
 * SHA-256 over the contents of files, each with its length, so that moving bytes between files changes it.
 *
 * @param {string[]} files
 */
export function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${content.length}:`).update(content);
  }
  return hash.digest('hex');
}
