import type { BackendId, Category, Priority } from '../../shared/domain';
import type { TandemError } from '../../shared/errors';

/** What the queue needs to know of a request; never its text. */
export interface QueueTicket {
  id: string;
  client: string;
  priority: Priority;
  /** The UI is exempt from the rate limit, not from fairness. */
  rateLimited: boolean;
}

/** What a request wants next: a slot of one backend. */
export interface SlotWish {
  backend: BackendId;
  model: string;
  category: Category;
  /** Estimated run time in ms, the load of the model included, for ETAs and `Retry-After`. */
  estimateMs: number;
  /** The part of it that falls away when the request before it is for the same model. */
  loadMs: number;
  /** Longest wait in ms. */
  waitMs: number;
}

export type Outcome = { kind: 'done' } | { kind: 'failed'; code: string } | { kind: 'cancelled' };

/** Place of a waiting request, told whenever it changes. */
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
  /** Keeps the slot as `draining` until the promise settles (a cancelled prefill that still computes). */
  drain(until: Promise<void>): void;
}

/** An accepted request on its way; settles exactly once. */
export interface Admitted {
  /**
   * Waits for a slot. Rejects with `queue_timeout`, or the abort reason. May be called again after a failed attempt
   * (the request counts as replaying between two slots).
   */
  acquire(wish: SlotWish, onPlace: (place: QueuePlace) => void, signal: AbortSignal): Promise<Slot>;
  /** The first outcome wins; later ones are dropped quietly. */
  settle(outcome: Outcome): void;
  /**
   * Sets who is told when the queue itself has ended the request: shed for a more urgent one (`queue_full`), or taken
   * out by the user (`cancelled`). It is settled by then; its caller is owed the reason.
   */
  onDismissed(listener: (reason: TandemError) => void): void;
}
