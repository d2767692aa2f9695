import { within } from '../ports/bounded';
import type { Clock } from '../ports/clock';
import type { Slot } from '../queue/types';
import type { RouterEvent } from '../router/types';
import type { TryContext } from './answer';
import type { DrainWatch } from './drain-watch';
import { noTurn } from './failures';
import type { Plan } from './plan';
import { waitForSlot } from './slot-wait';
import { type Fingerprints, MAX_DEATHS } from './suspects/fingerprints';
import type { InFlight } from './suspects/in-flight';
import type { Stay } from './suspects/stay';

/** What an attempt needs to begin. */
export interface Seat {
  kind: 'seat';
  slot: Slot;
  /** Already begun; leave it when the backend computes nothing for it any more. */
  stay: Stay;
}

/** Not sent: the backend still computes for a caller who left, or must not be risked with this request now. */
export interface Moved {
  kind: 'moved';
  why: 'draining' | 'poison';
}

interface SeatContext extends TryContext {
  clock: Clock;
  drains: DrainWatch;
  inFlight: InFlight;
  fingerprints: Fingerprints;
}

/**
 * Acquires a slot; a request suspected of killing a process also waits until no other suspect is running. While it
 * waits it releases its slot, so that other requests pass. It waits for at most the request's time limit, then rejects
 * with `queue_timeout` without trying another candidate: a suspect has no other candidate on a backend that it may not
 * have killed.
 */
export async function* takeSeat(
  context: SeatContext,
  { wish, timeoutMs }: Plan,
): AsyncGenerator<RouterEvent, Seat | Moved, void> {
  const { run, candidate, clock, inFlight } = context;
  const stay = inFlight.arrive(candidate.backend, run.request);
  let until: number | null = null;
  let hasBegun = false;
  const waited = (ms: number) => {
    run.record.queueMs = (run.record.queueMs ?? 0) + Math.round(ms);
  };
  try {
    while (!isBarred(context)) {
      const slot = yield* waitForSlot({ ...context, admitted: run.admitted }, wish, run.signal);
      if (!slot) return { kind: 'moved', why: 'draining' };
      waited(slot.waitedMs);
      // Check again: an equal request from another caller may have killed a process meanwhile.
      const barred = isBarred(context);
      hasBegun = !barred && stay.begin();
      if (hasBegun) return { kind: 'seat', slot, stay };
      slot.release();
      if (barred) break;
      const since = clock.now();
      until ??= since + timeoutMs;
      await within(
        clock,
        until - since,
        run.signal,
        (signal) => stay.turn(signal),
        () => noTurn(wish, timeoutMs),
      );
      waited(clock.now() - since);
    }
    return { kind: 'moved', why: 'poison' };
  } finally {
    if (!hasBegun) stay.leave();
  }
}

/** Did processes die meanwhile during an equal request from another caller? */
function isBarred({ run, candidate, hasNext, fingerprints }: SeatContext): boolean {
  const { deaths, killed } = fingerprints.of(run.request);
  return deaths >= MAX_DEATHS || (hasNext && killed.has(candidate.backend));
}
