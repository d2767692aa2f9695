import type { Clock } from '../ports/clock';
import { LineReader } from '../ports/line-reader';
import type { Spawner } from '../ports/spawner';

/** Starts `scan-child.ts`. */
export interface ScanProcess {
  spawner: Spawner;
  clock: Clock;
  /** The Node executable; `script` is the built script that it runs. */
  node: string;
  script: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** Longer than any line about a folder with the longest paths and names that a file system allows. */
const MAX_LINE_BYTES = 256 * 1024;

/**
 * Runs the scan's process once and passes each value that it writes to `onLine`. Kills it when it has been silent for
 * `silenceMs`, when a line is too long, or when the signal aborts, and does not wait for its exit, since a process
 * blocked on a dead volume may never exit. Rejects with the signal's reason, or when the process fails.
 * @returns whether it was silent, and a promise that resolves when it has exited
 */
export async function runScanProcess(
  { spawner, clock, node, script, env }: ScanProcess,
  request: unknown,
  onLine: (line: unknown) => void,
  { silenceMs, signal }: { silenceMs: number; signal?: AbortSignal },
): Promise<{ silent: boolean; ended: Promise<unknown> }> {
  signal?.throwIfAborted();
  const child = spawner.spawn({
    command: node,
    args: [script],
    env,
    input: JSON.stringify(request),
  });
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const reader = new LineReader(MAX_LINE_BYTES, () => new Error('The scan wrote a line that is too long.'));
  let cancel = clock.after(silenceMs, () => resolve(true));
  const onData = (bytes: Buffer) => {
    cancel();
    cancel = clock.after(silenceMs, () => resolve(true));
    try {
      for (const line of reader.push(bytes)) onLine(JSON.parse(line));
    } catch (error) {
      reject(error);
    }
  };
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  child.stderr?.resume();
  child.stdout
    ?.on('data', onData)
    .once('end', () => resolve(false))
    .once('error', reject);
  void child.exited.then(({ error }) => error && reject(error));
  let finished = false;
  try {
    const silent = await promise;
    finished = !silent;
    return { silent, ended: child.exited };
  } finally {
    cancel();
    signal?.removeEventListener('abort', onAbort);
    if (!finished) child.kill('SIGKILL');
    child.stdout?.off('data', onData).destroy();
    child.stderr?.destroy();
  }
}
