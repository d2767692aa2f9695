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

/** What an attempt begins with. */
export interface Seat {
  kind: 'seat';
  slot: Slot;
  /** Has begun; to be left when nothing is computed any more. */
  stay: Stay;
}

/** Not sent: the backend still computes for somebody who left, or it is not risked under this request now. */
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
 * A slot of the candidate's backend, held by a request that may be computed now. A suspect gives its slot back while
 * another one is computed, so that whoever is above suspicion passes. It waits for at most the request's time limit,
 * then rejects with `queue_timeout`: no other candidate is better, since a suspect has none on a backend that it may
 * not have killed but this one.
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
      // Asked again: somebody else may have sent the same request meanwhile.
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

/** Have processes died under the same request, sent by somebody else, while this one waited? */
function isBarred({ run, candidate, hasNext, fingerprints }: SeatContext): boolean {
  const { deaths, killed } = fingerprints.of(run.request);
  return deaths >= MAX_DEATHS || (hasNext && killed.has(candidate.backend));
}
