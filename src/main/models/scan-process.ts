import type { Clock } from '../ports/clock';
import { LineReader } from '../ports/line-reader';
import type { Spawner } from '../ports/spawner';

/** Starts `scan-child.ts`. */
export interface ScanProcess {
  spawner: Spawner;
  clock: Clock;
  /** The Node executable, and the built script to run with it. */
  node: string;
  script: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** Longer than any line about a folder whose paths and names are as long as a file system lets them be. */
const MAX_LINE_BYTES = 256 * 1024;

/**
 * Runs the scan's process once and hands over each value that it writes. It is killed when it has been silent for
 * `silenceMs`, when a line is too long, or when the signal aborts; nobody waits for its end, since a process that waits
 * for a dead volume may not end. Rejects with the signal's reason, or when the process fails.
 *
 * @returns whether it was silent, and what resolves when it has ended
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
