import type { GuardView, MemoryWish } from './decision';
import { type Account, behaviourOf, usedNow } from './ledger';
import { gpuBytes, gpuBytesOfAll, promisedBytes } from './ledger-sums';
import { type LoadState, SIZE_ERROR } from './needed-bytes';

/** Kept free below the critical limit for what other programs take between two samples. */
const RESERVE_SHARE = 0.02;
/** A rise of memory is assumed to continue for this long: until the next sample and some seconds more. */
const RISE_AHEAD_S = 4;
/** A load takes seconds in which nothing can be taken back: this share of its bytes is kept free in addition. */
const LOAD_MARGIN = 0.4;
/** Work that takes longer is exposed to more growth of other programs … */
const SHORT_WORK_S = 20;
/** … so this share of memory per further second is kept free, up to a ceiling. */
const EXPOSURE_SHARE_PER_S = 0.002;
const EXPOSURE_CEILING = 0.08;

/** What is missing. */
export interface Shortage {
  rule: 'critical' | 'working_set';
  /** Bytes to free before the wish fits. */
  bytes: number;
  /** Bytes available to it now; never negative. */
  freeBytes: number;
}

/** How many bytes are missing and by which rule; null if the wish fits. */
export function shortage(
  wish: MemoryWish,
  { account, critical }: GuardView,
  needed: number | null,
  { loaded, coming }: LoadState,
): Shortage | null {
  const { ledger } = account;
  const { dies } = behaviourOf(account, wish.backend);
  const promised = promisedBytes(ledger);
  const highest = ledger.criticalBytes - ledger.totalBytes * RESERVE_SHARE;
  const kept = dies ? caution(wish, account, loaded || coming ? 0 : (needed ?? 0)) : 0;
  const free = highest - usedNow(account) - promised - kept;
  if (critical && dies) {
    return { rule: 'critical', bytes: Math.max(1, (needed ?? 0) - free), freeBytes: Math.max(0, free) };
  }
  const gpuFree = ledger.workingSetBytes - gpuBytesOfAll(ledger) * (1 + SIZE_ERROR) - promised;
  // The only models on the GPU are this server's, and they have fitted already.
  const alone = loaded && gpuBytesOfAll(ledger) === (gpuBytes(ledger, wish.backend) ?? 0);
  if (!alone && needed !== null && needed > gpuFree) {
    return { rule: 'working_set', bytes: needed - gpuFree, freeBytes: Math.max(0, gpuFree) };
  }
  if ((needed ?? 0) <= free) return null;
  return { rule: 'critical', bytes: (needed ?? 0) - free, freeBytes: Math.max(0, free) };
}

/** Kept free beyond the reserve: for a rise in progress, for the uncertainty of a load, and for long work. */
function caution({ expectedS }: MemoryWish, account: Account, loadBytes: number): number {
  const long = Math.max(0, (expectedS ?? 0) - SHORT_WORK_S);
  const exposed = account.ledger.totalBytes * Math.min(EXPOSURE_CEILING, long * EXPOSURE_SHARE_PER_S);
  return account.risingBytesPerS * RISE_AHEAD_S + loadBytes * LOAD_MARGIN + exposed;
}
