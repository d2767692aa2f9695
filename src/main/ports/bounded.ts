import type { Clock } from './clock';

/** The next value of an iterator, or the signal's reason as soon as it aborts, whichever comes first. */
export function nextOrAbort<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> {
  return orAbort(iterator.next(), signal);
}

/** A promise's outcome, or the signal's reason as soon as it aborts, whichever comes first. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A controller that also aborts with its parent. `dispose` removes the listener on the parent. */
export function childOf(parent: AbortSignal): { controller: AbortController; dispose: () => void } {
  const controller = new AbortController();
  const onAbort = () => controller.abort(parent.reason);
  if (parent.aborted) onAbort();
  parent.addEventListener('abort', onAbort, { once: true });
  return { controller, dispose: () => parent.removeEventListener('abort', onAbort) };
}

/**
 * Runs an abortable call for at most `ms`; after that it rejects with `tooLate()`. Aborting `signal` rejects with its
 * reason.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
  tooLate: () => unknown,
): Promise<T> {
  const { controller, dispose } = childOf(signal);
  const cancel = clock.after(ms, () => controller.abort(tooLate()));
  try {
    return await orAbort(run(controller.signal), controller.signal);
  } finally {
    cancel();
    dispose();
  }
}
