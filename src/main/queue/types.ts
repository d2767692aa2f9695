import type { BackendId, Category, Priority } from '../../shared/domain';
import type { TandemError } from '../../shared/errors';

/** The facts about a request that the queue needs; never its text. */
export interface QueueTicket {
  id: string;
  client: string;
  priority: Priority;
  /** The UI is exempt from the rate limit, not from fairness. */
  rateLimited: boolean;
}

/** What a request needs next: a slot of one backend. */
export interface SlotWish {
  backend: BackendId;
  model: string;
  category: Category;
  /** Estimated run time in ms including the model's load, for ETAs and `Retry-After`. */
  estimateMs: number;
  /** The part of it that is saved when the previous request is for the same model. */
  loadMs: number;
  /** Longest wait in ms. */
  waitMs: number;
}

export type Outcome = { kind: 'done' } | { kind: 'failed'; code: string } | { kind: 'cancelled' };

/** Place of a waiting request; reported at each change. */
export interface QueuePlace {
  position: number;
  etaMs: number | null;
}

/** A slot in use. Give it back exactly once; a second call is ignored. */
export interface Slot {
  /** Milliseconds waited for it. */
  readonly waitedMs: number;
  /** Frees the slot at once. */
  release(): void;
  /** Keeps the slot as `draining` until the promise settles (a cancelled prefill that is still being computed). */
  drain(until: Promise<void>): void;
}

/** An accepted request; settles exactly once. */
export interface Admitted {
  /**
   * Waits for a slot. Rejects with `queue_timeout`, or the abort reason. May be called again after a failed attempt
   * (the request counts as replaying between two slots).
   */
  acquire(wish: SlotWish, onPlace: (place: QueuePlace) => void, signal: AbortSignal): Promise<Slot>;
  /** The first outcome wins; later ones are ignored. */
  settle(outcome: Outcome): void;
  /**
   * Sets the listener for requests that the queue itself ends: shed for a more urgent one (`queue_full`), or cancelled
   * by the user (`cancelled`). The request is already settled then; the listener passes the reason to its caller.
   */
  onDismissed(listener: (reason: TandemError) => void): void;
}
