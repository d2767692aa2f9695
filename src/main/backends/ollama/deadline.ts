import { isTandemError } from '../../../shared/errors';
import type { Clock } from '../../ports/clock';

/** Makes a call whose signal aborts after `ms`, or with `signal`; rejects with what the call makes of that. */
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

/** Nothing came within the time allowed, which is not to say that nobody is there. */
export function isSilence(error: unknown): boolean {
  return isTandemError(error) && error.code === 'cancelled';
}
