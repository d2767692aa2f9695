import { BACKEND_IDS, type BackendId } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import type { QueueStats, QueueStatus } from '../../shared/status';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import { type Entry, type Lease, stateOf, tally, viewOf } from './entries';
import { RateLimit } from './rate-limit';
import { Scheduler, type SchedulerEvent, type WaitingView } from './scheduler';
import type { Admitted, Outcome, Place, QueueTicket, Slot, SlotWish } from './types';

export interface RequestQueueOptions {
  clock: Clock;
  /** Requests that each backend may compute at once. */
  slots: Record<BackendId, number>;
  /** Read at every request; `max` 0 = off. */
  rateLimit: () => { max: number; windowMs: number };
  /** Accepted requests that may wait at once; the next one is `queue_full`. */
  maxDepth?: number;
}

const MAX_DEPTH = 1000;
const PLACES_EVERY_MS = 250;

/**
 * The queue in front of all backends: admission, waiting, slots and the counters of `/queue/stats`. Every request that
 * is accepted ends in exactly one of done, failed, cancelled. The counters hold at every moment because what waits,
 * runs and replays is counted from the entries themselves and an entry leaves in the same step that counts its outcome.
 */
export class RequestQueue {
  readonly #clock: Clock;
  readonly #rateLimit: RateLimit;
  readonly #maxDepth: number;
  readonly #scheduler: Scheduler;
  readonly #entries = new Set<Entry>();
  readonly #waiting = new Map<string, Entry>();
  readonly #leases = new Map<string, Lease>();
  readonly #change = new Emitter<void>();
  readonly #totals = { received: 0, accepted: 0, done: 0, failed: 0, cancelled: 0, rejected: 0 };
  #lineCount = 0;
  #changePending = false;
  /** Somebody waits who has not been told a place yet. */
  #newcomers = false;
  #placesPending = false;

  constructor(options: RequestQueueOptions) {
    this.#clock = options.clock;
    this.#rateLimit = new RateLimit({ clock: options.clock, limits: options.rateLimit });
    this.#maxDepth = options.maxDepth ?? MAX_DEPTH;
    this.#scheduler = new Scheduler(options.slots);
  }

  /** Told at most once per microtask turn, after any change of entries or places. */
  readonly onChange = (listener: () => void) => this.#change.subscribe(listener);

  /** Takes a request in. Throws `rate_limited` or `queue_full`, each with the seconds after which to try again. */
  admit(ticket: QueueTicket): Admitted {
    this.#totals.received += 1;
    try {
      this.#checkLimits(ticket);
    } catch (error) {
      this.#totals.rejected += 1;
      this.#changed();
      throw error;
    }
    this.#totals.accepted += 1;
    const entry: Entry = { ticket, admittedAt: this.#clock.now(), attempts: 0, stage: { kind: 'idle' } };
    this.#entries.add(entry);
    this.#changed();
    return {
      acquire: (wish, onPlace, signal) => this.#acquire(entry, wish, onPlace, signal),
      settle: (outcome) => this.#settle(entry, outcome),
    };
  }

  /** Changes how many requests a backend may compute at once; running ones are not touched. */
  setSlots(backend: BackendId, slots: number): void {
    this.#feed({ type: 'capacity', at: this.#clock.now(), backend, slots });
  }

  /** Clients that the rate limit tracks now. */
  get trackedClients(): number {
    return this.#rateLimit.clients;
  }

  stats(): QueueStats {
    return { ...tally(this.#entries, this.#leases.values(), this.#clock.now()), ...this.#totals };
  }

  /** The counters and every accepted request that has not ended, in order of arrival. */
  status(): QueueStatus {
    const now = this.#clock.now();
    const places = new Map<string, WaitingView>();
    for (const backend of BACKEND_IDS) {
      for (const view of this.#scheduler.waiting(backend, now)) places.set(view.id, view);
    }
    const entries = [...this.#entries].map((entry) => viewOf(entry, now, places));
    return { stats: this.stats(), entries };
  }

  #checkLimits(ticket: QueueTicket): void {
    const waitS = ticket.rateLimited ? this.#rateLimit.take(ticket.client) : 0;
    if (waitS > 0) {
      throw new TandemError('rate_limited', `Too many requests from this client. Try again in ${waitS} s.`, {
        retryAfterS: waitS,
      });
    }
    let depth = 0;
    for (const entry of this.#entries) if (stateOf(entry) === 'waiting') depth += 1;
    if (depth < this.#maxDepth) return;
    const retryAfterS = 30;
    throw new TandemError(
      'queue_full',
      `${depth} requests wait already. Try again in ${retryAfterS} s, or send fewer at once.`,
      { retryAfterS },
    );
  }

  #acquire(
    entry: Entry,
    wish: SlotWish,
    onPlace: (place: Place) => void,
    signal: AbortSignal,
  ): Promise<Slot> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (!this.#entries.has(entry) || entry.stage.kind !== 'idle') {
      return Promise.reject(new RangeError(`request ${entry.ticket.id} cannot wait for a slot now`));
    }
    this.#lineCount += 1;
    const lineId = `${entry.ticket.id}#${this.#lineCount}`;
    return new Promise((resolve, reject) => {
      const since = this.#clock.now();
      const stopWaiting = () => {
        cancelTimer();
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(lineId);
      };
      const leave = (reason: unknown) => {
        stopWaiting();
        entry.stage = { kind: 'idle' };
        this.#feed({ type: 'leave', at: this.#clock.now(), id: lineId });
        reject(reason);
      };
      const onAbort = () => leave(signal.reason);
      const cancelTimer = this.#clock.after(wish.waitMs, () => leave(this.#waitedTooLong(lineId, wish)));
      signal.addEventListener('abort', onAbort, { once: true });
      const granted = () => {
        stopWaiting();
        resolve(this.#lease(entry, lineId, wish, since));
      };
      entry.stage = { kind: 'waiting', lineId, wish, place: null, onPlace, granted, leave };
      this.#waiting.set(lineId, entry);
      this.#newcomers = true;
      const { priority, client } = entry.ticket;
      const { backend, estimateMs } = wish;
      this.#feed({ type: 'wait', at: since, id: lineId, backend, priority, client, estimateMs });
    });
  }

  #waitedTooLong(lineId: string, wish: SlotWish): TandemError {
    const views = this.#scheduler.waiting(wish.backend, this.#clock.now());
    const etaMs = views.find((view) => view.id === lineId)?.etaMs ?? wish.estimateMs;
    const retryAfterS = Math.max(1, Math.ceil(etaMs / 1000));
    const waitedS = Math.round(wish.waitMs / 1000);
    return new TandemError(
      'queue_timeout',
      `No slot was free on ${wish.backend} for ${waitedS} s. Try again in ${retryAfterS} s.`,
      { retryAfterS, details: { backend: wish.backend, waitedS } },
    );
  }

  /** Turns a granted wait into a slot; the slot outlives the request when it drains. */
  #lease(entry: Entry, lineId: string, wish: SlotWish, waitingSince: number): Slot {
    const now = this.#clock.now();
    entry.stage = { kind: 'running', wish, since: now };
    entry.attempts += 1;
    const lease: Lease = { backend: wish.backend, owner: entry, draining: false };
    this.#leases.set(lineId, lease);
    const giveUp = () => {
      if (entry.stage.kind === 'running' && !lease.draining) entry.stage = { kind: 'idle' };
    };
    const free = () => {
      if (!this.#leases.delete(lineId)) return;
      giveUp();
      this.#feed({ type: 'free', at: this.#clock.now(), id: lineId });
    };
    return {
      waitedMs: now - waitingSince,
      release: () => {
        if (!lease.draining) free();
      },
      drain: (until) => {
        if (lease.draining || !this.#leases.has(lineId)) return;
        giveUp();
        lease.draining = true;
        this.#changed();
        void until.then(free, free);
      },
    };
  }

  #settle(entry: Entry, outcome: Outcome): void {
    if (!this.#entries.has(entry)) return;
    this.#entries.delete(entry);
    if (entry.stage.kind === 'waiting')
      entry.stage.leave(new TandemError('cancelled', 'It ended while waiting.'));
    this.#totals[outcome.kind] += 1;
    this.#changed();
  }

  #feed(event: SchedulerEvent): void {
    for (const effect of this.#scheduler.handle(event)) {
      const stage = this.#waiting.get(effect.id)?.stage;
      if (stage?.kind === 'waiting') stage.granted();
    }
    this.#changed();
  }

  #changed(): void {
    if (this.#changePending) return;
    this.#changePending = true;
    queueMicrotask(() => {
      this.#changePending = false;
      if (this.#newcomers) this.#tellPlaces((place) => place === null);
      this.#tellPlacesSoon();
      this.#change.emit();
    });
  }

  /** A long queue moves with every request that ends: those who wait already are told now and then only. */
  #tellPlacesSoon(): void {
    if (this.#placesPending || this.#waiting.size === 0) return;
    this.#placesPending = true;
    this.#clock.after(PLACES_EVERY_MS, () => {
      this.#placesPending = false;
      this.#tellPlaces(() => true);
    });
  }

  #tellPlaces(concerns: (known: Place | null) => boolean): void {
    this.#newcomers = false;
    const now = this.#clock.now();
    for (const backend of BACKEND_IDS) {
      for (const view of this.#scheduler.waiting(backend, now)) {
        const stage = this.#waiting.get(view.id)?.stage;
        if (stage?.kind !== 'waiting' || stage.place?.position === view.position) continue;
        if (!concerns(stage.place)) continue;
        stage.place = { position: view.position, etaMs: view.etaMs };
        stage.onPlace(stage.place);
      }
    }
  }
}
