import { TandemError } from '../../shared/errors';
import type { SlotWish } from './types';

/** Longest `Retry-After`, seconds: by then waiting requests have been served or have timed out. */
const LONGEST_RETRY_S = 600;

export function rateLimited(retryAfterS: number): TandemError {
  return new TandemError(
    'rate_limited',
    `Too many requests from this client. Try again in ${retryAfterS} s.`,
    { retryAfterS },
  );
}

/** `etaMs` is the expected wait of another request like this one; `shed`: the request was already waiting. */
export function queueFull(depth: number, etaMs: number, shed: boolean): TandemError {
  const retryAfterS = retryAfter(etaMs);
  const why = shed ? 'The queue is full and more urgent requests came.' : `${depth} requests wait already.`;
  return new TandemError('queue_full', `${why} Try again in ${retryAfterS} s, or send fewer at once.`, {
    retryAfterS,
    details: { depth },
  });
}

/** `etaMs` is the expected wait of a newcomer. */
export function waitedTooLong({ backend, waitMs }: SlotWish, etaMs: number): TandemError {
  const retryAfterS = retryAfter(etaMs);
  const waitedS = Math.round(waitMs / 1000);
  return new TandemError(
    'queue_timeout',
    `No slot was free on ${backend} for ${waitedS} s. Try again in ${retryAfterS} s.`,
    { retryAfterS, details: { backend, waitedS } },
  );
}

export function cancelledByUser(): TandemError {
  return new TandemError(
    'cancelled',
    'The request was taken out of the queue. Send it again if it is needed.',
  );
}

export function endedWhileWaiting(): TandemError {
  return new TandemError('cancelled', 'The request ended while it waited.');
}

function retryAfter(etaMs: number): number {
  return Math.min(LONGEST_RETRY_S, Math.max(1, Math.ceil(etaMs / 1000)));
}
