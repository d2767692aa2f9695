import { TandemError } from '../../shared/errors';
import type { Unsubscribe } from '../ports/emitter';

/**
 * Waits until `done` returns true; calls it now and at each change. Rejects with what `done` throws, and with
 * `cancelled` when the signal aborts, which ends only the wait.
 */
export function waitFor(
  onChange: (listener: () => void) => Unsubscribe,
  done: () => boolean,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = () => {
      try {
        if (!done()) return;
        resolve();
      } catch (error) {
        reject(error);
      }
      leave();
    };
    const onAbort = () => {
      leave();
      reject(
        new TandemError('cancelled', 'The wait for the server was cancelled.', { cause: signal?.reason }),
      );
    };
    const unsubscribe = onChange(check);
    const leave = () => {
      unsubscribe();
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    check();
  });
}
