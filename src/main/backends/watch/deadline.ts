import { isTandemError } from '../../../shared/errors';
import type { Clock } from '../../ports/clock';

/** Makes a call whose signal aborts after `ms`, or with `signal`; rejects with the call's error. */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  call: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const limit = new AbortController();
  const cancel = clock.after(ms, () => limit.abort());
  try {
    return await call(signal ? AbortSignal.any([signal, limit.signal]) : limit.signal);
  } finally {
    cancel();
  }
}

/** No answer came within the time limit; the server may still be alive. */
export function isSilence(error: unknown): boolean {
  return isTandemError(error) && error.code === 'cancelled';
}
