import type { BackendId, Priority } from '../../shared/domain';
import type { TandemError } from '../../shared/errors';
import type { QueueStats, QueueStatus } from '../../shared/status';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import { Census } from './census';
import { type Entry, queueEntryOf } from './entries';
import { NEAR, Places } from './places';
import { RateLimit } from './rate-limit';
import { cancelledByUser, endedWhileWaiting, queueFull, rateLimited, waitedTooLong } from './refusals';
import { Scheduler, type SchedulerEvent } from './scheduler';
import type { Admitted, Outcome, QueuePlace, QueueTicket, Slot, SlotWish } from './types';

export interface RequestQueueOptions {
  clock: Clock;
  /** Requests that each backend may compute at once. */
  slots: Readonly<Record<string, number>>;
  /** Called for every request; `max` 0 = off. */
  rateLimit: () => { max: number; windowMs: number };
  /** Accepted requests that may wait at once; see `#makeRoom` for the next one. */
  maxDepth?: number;
}

const MAX_DEPTH = 2000;
/** Share of the places that one client may fill; other clients still find room. */
const CLIENT_SHARE = 0.9;

/**
 * The queue in front of all backends: admission, waiting, slots and the counters of `/queue/stats`. Every accepted
 * request ends as exactly one of done, failed, cancelled. Admitting, leaving and granting a slot cost O(1), however
 * many requests wait.
 */
export class RequestQueue {
  readonly #clock: Clock;
  readonly #rateLimit: RateLimit;
  readonly #maxDepth: number;
  readonly #scheduler: Scheduler;
  readonly #census = new Census();
  readonly #waiting = new Map<string, Entry>();
  readonly #places: Places;
  readonly #change = new Emitter<void>();
  #lineCount = 0;
  #changePending = false;

  constructor(options: RequestQueueOptions) {
    this.#clock = options.clock;
    this.#rateLimit = new RateLimit({ clock: options.clock, limits: options.rateLimit });
    this.#maxDepth = options.maxDepth ?? MAX_DEPTH;
    this.#scheduler = new Scheduler(options.slots);
    this.#places = new Places(this.#clock, this.#scheduler, this.#waiting, () => this.#change.emit());
  }

  /** Emitted at most once per microtask turn, after any change of entries or places. */
  readonly onChange = (listener: () => void) => this.#change.subscribe(listener);

  /** Admits a request. Throws `rate_limited` or `queue_full`, each with the seconds after which to retry. */
  admit(ticket: QueueTicket): Admitted {
    try {
      const waitS = ticket.rateLimited ? this.#rateLimit.take(ticket.client) : 0;
      if (waitS > 0) throw rateLimited(waitS);
      this.#makeRoom(ticket);
    } catch (error) {
      this.#census.reject();
      this.#changed();
      throw error;
    }
    const entry = this.#census.accept(ticket, this.#clock.now());
    this.#changed();
    return {
      acquire: (wish, onPlace, signal) => this.#acquire(entry, wish, onPlace, signal),
      settle: (outcome) => this.#settle(entry, outcome),
      onDismissed: (listener) => {
        entry.onDismissed = listener;
      },
    };
  }

  /** Ends a waiting or running request, as if its caller had left. False when it has already ended. */
  cancel(id: string): boolean {
    const entry = this.#census.find(id);
    if (entry) this.#dismiss(entry, { kind: 'cancelled' }, cancelledByUser());
    return entry !== null;
  }

  /** Changes how many requests a backend may compute at once; does not touch running ones. */
  setSlots(backend: BackendId, slots: number): void {
    this.#feed({ type: 'capacity', at: this.#clock.now(), backend, slots });
  }

  /** Clients that the rate limit tracks now. */
  get trackedClients(): number {
    return this.#rateLimit.clients;
  }

  stats(): QueueStats {
    const held = this.#scheduler.backends.map((backend) => [backend, this.#scheduler.held(backend)] as const);
    return this.#census.stats(held, this.#clock.now());
  }

  /** The counters, and at most 100 open requests: the running ones, then the next ones. */
  status(): QueueStatus {
    const now = this.#clock.now();
    const entries = this.#census.first(NEAR, this.#places.near()).map((entry) => queueEntryOf(entry, now));
    return { stats: this.stats(), entries };
  }

  /**
   * Finds a place for a newcomer. When all are taken, drops the newest request of the lowest priority below its own;
   * when only its client's share is used up, one of that client. Without such a request the newcomer is rejected.
   */
  #makeRoom(ticket: QueueTicket): void {
    const isFull = this.#census.depth >= this.#maxDepth;
    if (!isFull && this.#census.depthOf(ticket) < Math.ceil(this.#maxDepth * CLIENT_SHARE)) return;
    const victim = this.#census.newestBelow(ticket, isFull ? 'all' : 'own');
    const shed = victim?.ticket ?? ticket;
    const refusal = queueFull(this.#census.depth, this.#etaMs(shed.priority), victim !== null);
    if (!victim) throw refusal;
    this.#dismiss(victim, { kind: 'failed', code: refusal.code }, refusal);
  }

  /** Expected ms until a newcomer would start on the busiest backend. */
  #etaMs(priority: Priority): number {
    const now = this.#clock.now();
    return Math.max(
      ...this.#scheduler.backends.map((backend) => this.#scheduler.etaMs(backend, priority, now)),
    );
  }

  #acquire(
    entry: Entry,
    wish: SlotWish,
    onPlace: (place: QueuePlace) => void,
    signal: AbortSignal,
  ): Promise<Slot> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (!this.#census.has(entry) || entry.stage.kind !== 'idle') {
      return Promise.reject(new RangeError(`request ${entry.id} cannot wait for a slot now`));
    }
    this.#lineCount += 1;
    const lineId = `${entry.id}#${this.#lineCount}`;
    return new Promise((resolve, reject) => {
      const since = this.#clock.now();
      const stopWaiting = () => {
        cancelTimer();
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(lineId);
      };
      const stepOut = () => {
        stopWaiting();
        this.#census.move(entry, { kind: 'idle' });
        this.#feed({ type: 'leave', at: this.#clock.now(), id: lineId });
      };
      const leave = (reason: unknown) => {
        stepOut();
        reject(reason);
      };
      const onAbort = () => leave(signal.reason);
      const cancelTimer = this.#clock.after(wish.waitMs, () => {
        stepOut();
        reject(this.#timeout(entry, wish));
      });
      signal.addEventListener('abort', onAbort, { once: true });
      const granted = () => {
        stopWaiting();
        resolve(this.#lease(entry, lineId, wish, since));
      };
      const told = { place: null, told: null, onPlace };
      this.#census.move(entry, { kind: 'waiting', lineId, wish, ...told, granted, leave });
      this.#waiting.set(lineId, entry);
      const { priority, client } = entry.ticket;
      const { backend, model, estimateMs, loadMs } = wish;
      const wait = { type: 'wait', at: since, id: lineId, backend, model, priority, client } as const;
      this.#feed({ ...wait, estimateMs, loadMs });
    });
  }

  /** The timeout error. Its expected wait is that of a newcomer, because this request does not wait any more. */
  #timeout({ ticket }: Entry, wish: SlotWish): TandemError {
    const etaMs = this.#scheduler.etaMs(wish.backend, ticket.priority, this.#clock.now());
    return waitedTooLong(wish, etaMs);
  }

  /** Turns a granted wait into a slot; a draining slot outlives its request. */
  #lease(entry: Entry, lineId: string, wish: SlotWish, waitingSince: number): Slot {
    const now = this.#clock.now();
    let state: 'held' | 'draining' | 'free' = 'held';
    this.#census.move(entry, { kind: 'running', wish, since: now });
    const giveUp = () => {
      if (this.#census.has(entry)) this.#census.move(entry, { kind: 'idle' });
    };
    const free = () => {
      state = 'free';
      this.#feed({ type: 'free', at: this.#clock.now(), id: lineId });
    };
    return {
      waitedMs: now - waitingSince,
      release: () => {
        if (state !== 'held') return;
        giveUp();
        free();
      },
      drain: (until) => {
        if (state !== 'held') return;
        state = 'draining';
        giveUp();
        this.#changed();
        void until.then(free, free);
      },
    };
  }

  /** Ends a request from here; notifies its caller by the listener, and by the promise if it waits for a slot. */
  #dismiss(entry: Entry, outcome: Outcome, reason: TandemError): void {
    this.#settle(entry, outcome, reason);
    entry.onDismissed(reason);
  }

  #settle(entry: Entry, outcome: Outcome, reason?: TandemError): void {
    if (!this.#census.has(entry)) return;
    if (entry.stage.kind === 'waiting') entry.stage.leave(reason ?? endedWhileWaiting());
    this.#census.end(entry, outcome);
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
      this.#places.refresh();
      this.#change.emit();
    });
  }
}
