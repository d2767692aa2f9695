import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A text that distinguishes a process from a later one with the same pid: its start time as the OS reports it (Linux:
 * clock ticks since boot, field 22 of `/proc/PID/stat`; macOS: `ps -o lstart`).
 *
 * @param {number} pid
 * @returns {string | undefined} undefined if there is no such process
 */
export function processStart(pid) {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may contain spaces; field 3 (the state) follows the last parenthesis.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    const options = { encoding: 'utf8', timeout: 5000, env: { LC_ALL: 'C' } };
    const text = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], options);
    return text.trim() || undefined;
  } catch {
    return undefined;
  }
}
