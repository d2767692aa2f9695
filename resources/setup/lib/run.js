import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { stripVTControlCharacters } from 'node:util';

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {Record<string, string | undefined>} [env] the whole environment; default: our own
 * @property {(line: string) => void} [onLine] every line of stdout and stderr, as it comes
 * @property {number} [timeoutMs] after this the whole process group is killed
 * @property {number} [niceness] 0–19, for background work
 * @property {(pid: number) => void} [onSpawn]
 * @property {AbortSignal} [signal] kills the group; the promise still settles, after the child has exited
 *
 * @typedef {object} RunResult
 * @property {number | null} code null if it was ended by a signal or could not start
 * @property {string} stdout the last 64 KB
 * @property {string} stderr the last 64 KB
 * @property {string | undefined} error why it could not start
 * @property {boolean} timedOut
 */

const tailBytes = 64 * 1024;

/** Signals the child's whole group; a group that has already exited is not an error. */
function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // gone already
  }
}

/** Calls back with whole lines; a carriage return also ends one (progress bars). */
function lineSplitter(onLine) {
  let rest = '';
  return (chunk) => {
    const parts = (rest + chunk).split(/\r\n|\n|\r/);
    rest = parts.pop() ?? '';
    for (const line of parts) if (line !== '') onLine(line);
  };
}

/**
 * Runs a program without a shell, in its own process group, and waits for its exit. Never rejects: a program that could
 * not start has `error`, one that was killed has `code` null.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<RunResult>}
 */
export function run(command, args, options = {}) {
  const { cwd, env = process.env, onLine, timeoutMs, niceness, onSpawn, signal } = options;
  return new Promise((resolve) => {
    const result = { code: null, stdout: '', stderr: '', error: undefined, timedOut: false };
    if (signal?.aborted) return resolve({ ...result, error: 'aborted' });
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const pid = child.pid;
    let hardKill;
    const end = () => {
      if (pid === undefined) return;
      killGroup(pid, 'SIGTERM');
      hardKill = setTimeout(() => killGroup(pid, 'SIGKILL'), 2000);
    };
    const expire = () => {
      result.timedOut = true;
      end();
    };
    const limit = timeoutMs && setTimeout(expire, timeoutMs);
    signal?.addEventListener('abort', end, { once: true });
    if (pid !== undefined) {
      if (niceness) lowerPriority(pid, niceness);
      onSpawn?.(pid);
    }
    for (const name of ['stdout', 'stderr']) {
      const lines = onLine && lineSplitter(onLine);
      child[name].setEncoding('utf8').on('data', (chunk) => {
        result[name] = (result[name] + chunk).slice(-tailBytes);
        lines?.(chunk);
      });
    }
    const finish = () => {
      clearTimeout(limit);
      clearTimeout(hardKill);
      signal?.removeEventListener('abort', end);
      resolve(result);
    };
    child.on('error', (error) => {
      result.error = error.message;
      if (pid === undefined) finish();
    });
    child.on('close', (code) => {
      // Some tools colour their output even in a pipe.
      for (const name of ['stdout', 'stderr']) result[name] = stripVTControlCharacters(result[name]);
      result.code = code;
      finish();
    });
  });
}

/** Low priority is optional: if the OS refuses it, the work continues. */
function lowerPriority(pid, niceness) {
  try {
    setPriority(pid, niceness);
  } catch {
    // the child may be gone, or the OS may not allow it
  }
}

/**
 * The last lines of a failed program's output, for an error sentence.
 *
 * @param {RunResult} result
 */
export function failureText(result) {
  if (result.error) return result.error;
  if (result.timedOut) return 'it took too long and was ended';
  const lines = (result.stderr.trim() || result.stdout.trim()).split('\n');
  return lines.slice(-3).join(' ').slice(0, 400) || `it ended with code ${result.code}`;
}
