import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';

/** The program has 10 s to end; the rest is for ending it ourselves. */
const graceMs = 9500;

/**
 * Flags of Node for the headless host, which is mostly idle: a small young generation, as the hot path allocates
 * little. The collector keeps its helper threads: without them a collection takes three times as long
 * (`npm run bench -- loop`, `one_collection`).
 */
export const headlessFlags = ['--max-semi-space-size=1', '--optimize-for-size'];

/**
 * One arena for glibc's allocator instead of one per thread, and freed memory is returned to the system; together about
 * 17 MB of resident memory. The host removes these variables before it starts a child.
 */
export const headlessEnvironment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '0',
};

/**
 * Command line of the program on the chosen host.
 *
 * @param {{ host: { host: 'electron', path: string } | { host: 'headless' }, node: string, root: string, hostArgs: string[] }} choice
 * @returns {{ command: string, args: string[] }}
 */
export function hostCommand({ host, node, root, hostArgs }) {
  if (host.host === 'electron') return { command: host.path, args: [root, ...hostArgs] };
  return { command: node, args: [...headlessFlags, join(root, 'out', 'main', 'headless.js'), ...hostArgs] };
}

/**
 * Runs the program until it ends and passes signals to it. It runs in its own process group, so that a terminal's
 * Ctrl-C reaches it only once, through us.
 *
 * @param {Pick<import('./context.js').Job, 'root' | 'place' | 'options'> & {
 *   host: { host: 'electron', path: string } | { host: 'headless' }, node: string,
 *   signals: import('./exit-signals.js').ExitSignals }} job node: Node 24
 * @returns {Promise<number>} exit code; rejects if it could not be started
 */
export function runHost({ host, node, root, place, options, signals }) {
  const { command, args } = hostCommand({ host, node, root, hostArgs: options.hostArgs });
  const env = { ...place.env, TANDEM_NODE: node, ...(host.host === 'headless' ? headlessEnvironment : {}) };
  // If left over from a shell, it would turn Electron into a plain Node.
  delete env.ELECTRON_RUN_AS_NODE;
  return new Promise((resolve, reject) => {
    signals.signal.throwIfAborted();
    const child = spawn(command, args, { cwd: process.cwd(), env, detached: true, stdio: 'inherit' });
    let lastResort;
    const off = signals.onSignal((name) => {
      child.kill(name);
      lastResort ??= setTimeout(() => child.kill('SIGKILL'), graceMs);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      off();
      clearTimeout(lastResort);
      resolve(exitCodeOf({ code, signal, ownCode: signals.exitCode }));
    });
  });
}

/**
 * Our exit code after the program's end: that of a signal we received, unless the program failed.
 *
 * @param {{ code: number | null, signal: string | null, ownCode: number | undefined }} end
 */
export function exitCodeOf({ code, signal, ownCode }) {
  if (ownCode !== undefined) return code === 1 || signal === 'SIGKILL' ? 1 : ownCode;
  if (signal === 'SIGTERM') return 0;
  if (signal) return 128 + (constants.signals[signal] ?? 0);
  return code ?? 1;
}
