import { childOf } from '../ports/bounded';
import type { Admitted, QueuePlace, Slot, SlotWish } from '../queue/types';
import { ROLES } from '../router/roles';
import type { Candidate, RouterEvent } from '../router/types';
import type { DrainWatch } from './drain-watch';

interface SlotWait {
  admitted: Admitted;
  drains: DrainWatch;
  candidate: Candidate;
  /** Another candidate is available, so the work may move to it. */
  hasNext: boolean;
}

/** Why a wait was abandoned in favour of the next candidate. */
const MOVE_ON = new Error('the backend still computes for somebody who left');

/** Waits for a slot and yields queue places meanwhile. Null when the work should move to the next candidate. */
export async function* waitForSlot(
  { admitted, drains, candidate, hasNext }: SlotWait,
  wish: SlotWish,
  signal: AbortSignal,
): AsyncGenerator<RouterEvent, Slot | null, void> {
  // Work for a light backend may move to a heavy one; work for a heavy one never moves to a lesser model.
  const mayMove = hasNext && ROLES[wish.backend].work === 'light';
  if (mayMove && drains.isStalled(wish.backend)) return null;
  const { controller, dispose } = childOf(signal);
  const forget = mayMove ? drains.onStall(wish.backend, () => controller.abort(MOVE_ON)) : () => {};
  const places = new LatestPlace();
  const acquired = admitted.acquire(wish, places.tell, controller.signal);
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
