import { childOf, within } from '../ports/bounded';
import type { QueuePlace, Slot } from '../queue/types';
import { noTurn } from './failures';
import { MAX_DEATHS } from './suspects/fingerprints';
import type { Stay } from './suspects/stay';
import type { TryContext } from './try-context';
import type { DispatchEvent } from './types';

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

/**
 * Acquires a slot; a request suspected of killing a process also waits until no other suspect is running. While it
 * waits it releases its slot, so that other requests pass. It waits for at most the request's time limit, then rejects
 * with `queue_timeout` without trying another candidate: a suspect has no other candidate on a backend that it may not
 * have killed.
 */
export async function* takeSeat(context: TryContext): AsyncGenerator<DispatchEvent, Seat | Moved, void> {
  const { run, candidate, plan, clock, inFlight } = context;
  const { wish, timeoutMs } = plan;
  const stay = inFlight.arrive(candidate.backend, run.request);
  let until: number | null = null;
  let hasBegun = false;
  const waited = (ms: number) => {
    run.record.queueMs = (run.record.queueMs ?? 0) + Math.round(ms);
  };
  try {
    while (!isBarred(context)) {
      const slot = yield* waitForSlot(context);
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
        () => noTurn(context.backend.instance, wish, timeoutMs),
      );
      waited(clock.now() - since);
    }
    return { kind: 'moved', why: 'poison' };
  } finally {
    if (!hasBegun) stay.leave();
  }
}

/** Did processes die meanwhile during an equal request from another caller? */
function isBarred({ run, candidate, hasNext, fingerprints }: TryContext): boolean {
  const { deaths, killed } = fingerprints.of(run.request);
  return deaths >= MAX_DEATHS || (hasNext && killed.has(candidate.backend));
}

/** Why a wait was abandoned in favour of the next candidate. */
const MOVE_ON = new Error('the backend still computes for somebody who left');

/** Waits for a slot and yields queue places meanwhile. Null when the work should move to the next candidate. */
async function* waitForSlot(context: TryContext): AsyncGenerator<DispatchEvent, Slot | null, void> {
  const { run, backend, drains, candidate, hasNext } = context;
  const { wish } = context.plan;
  // Work for a light backend may move to a heavy one; work for a heavy one never moves to a lesser model.
  const mayMove = hasNext && backend.instance.role === 'light';
  if (mayMove && drains.isStalled(wish.backend)) return null;
  const { controller, dispose } = childOf(run.signal);
  const forget = mayMove ? drains.onStall(wish.backend, () => controller.abort(MOVE_ON)) : () => {};
  const places = new LatestPlace();
  const acquired = run.admitted.acquire(wish, places.tell, controller.signal);
  acquired.then(places.close, places.close);
  let slot: Slot | null = null;
  try {
    for (let place = await places.next(); place; place = await places.next()) {
      yield { type: 'waiting', backend: candidate.backend, model: candidate.model, ...place };
    }
    slot = await acquired;
    return slot;
  } catch (error) {
    if (error === MOVE_ON) return null;
    throw error;
  } finally {
    forget();
    dispose();
    // The caller left while waiting: a slot that is granted late is released.
    if (!slot) {
      controller.abort();
      acquired.then(
        (late) => late.release(),
        () => {},
      );
    }
  }
}

/** The newest place not yet reported; older ones are dropped, and none is reported after the wait. */
class LatestPlace {
  #place: QueuePlace | null = null;
  #closed = false;
  #wake: () => void = () => {};

  readonly tell = (place: QueuePlace): void => {
    this.#place = place;
    this.#wake();
  };

  readonly close = (): void => {
    this.#closed = true;
    this.#wake();
  };

  async next(): Promise<QueuePlace | null> {
    if (!this.#place && !this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    const newest = this.#closed ? null : this.#place;
    this.#place = null;
    return newest;
  }
}
