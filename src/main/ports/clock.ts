/** The core's clock. `now` is monotonic milliseconds, `wall` is the date. */
export interface Clock {
  now(): number;
  wall(): Date;
  /** Calls `run` once after `ms`; the returned function cancels it. Timers never keep the process alive. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` every `ms`; the returned function stops it. */
  every(ms: number, run: () => void): () => void;
}

/** Node's timers count ms in 32 bits; anything longer would fire at once. 24 days count as forever here. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => new Date(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, LONGEST_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, Math.min(ms, LONGEST_MS));
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls `ready` every `everyMs` until it returns true; rejects with the signal's reason as soon as it aborts. */
export async function pollUntil(
  ready: () => Promise<boolean>,
  everyMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!(await ready())) await sleep(clock, everyMs, signal);
}
