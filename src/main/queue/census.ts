import { type BackendId, PRIORITIES, type Priority } from '../../shared/domain';
import type { QueueStats } from '../../shared/status';
import { backendOf, clientAccount, type Entry, type Stage, stateOf } from './entries';
import { LinkedList } from './linked-list';
import type { Outcome, QueueTicket } from './types';

const LOWEST_FIRST = [...PRIORITIES].reverse();

type Lists = Record<Priority, LinkedList<Entry>>;

/**
 * All open requests (accepted and not ended), and the counters of `/queue/stats`. An entry moves from its old state
 * into the new one in one step, and is removed in the step that counts its outcome, so the equations are true at every
 * moment. Every step costs O(1).
 */
export class Census {
  readonly #open = new Map<string, Entry>();
  /** Requests that have not had a slot yet, in order of arrival: all, and those of each client. */
  readonly #newcomers = emptyLists();
  readonly #byAccount = new Map<string, Lists>();
  /** Requests that have had a slot, in order of their first one. */
  readonly #begun = new Set<Entry>();
  readonly #states = { waiting: 0, running: 0, replaying: 0 };
  readonly #backends = new Map<BackendId, { depth: number; running: number }>();
  readonly #totals = { received: 0, accepted: 0, done: 0, failed: 0, cancelled: 0, rejected: 0 };
  #twins = 0;

  get depth(): number {
    return this.#states.waiting;
  }

  reject(): void {
    this.#totals.received += 1;
    this.#totals.rejected += 1;
  }

  accept(ticket: QueueTicket, now: number): Entry {
    this.#totals.received += 1;
    this.#totals.accepted += 1;
    if (this.#open.has(ticket.id)) this.#twins += 1;
    const id = this.#open.has(ticket.id) ? `${ticket.id}~${this.#twins}` : ticket.id;
    const entry: Entry = {
      id,
      ticket,
      admittedAt: now,
      attempts: 0,
      stage: { kind: 'idle' },
      arrival: null,
      onDismissed: () => {},
    };
    this.#open.set(id, entry);
    const own = this.#byAccount.get(clientAccount(ticket)) ?? emptyLists();
    this.#byAccount.set(clientAccount(ticket), own);
    entry.arrival = {
      among: this.#newcomers[ticket.priority].push(entry),
      amongOwn: own[ticket.priority].push(entry),
    };
    this.#count(entry, 1);
    return entry;
  }

  /** Puts an entry into its next stage. */
  move(entry: Entry, stage: Stage): void {
    this.#count(entry, -1);
    entry.stage = stage;
    if (stage.kind === 'running') entry.attempts += 1;
    this.#count(entry, 1);
    if (stage.kind !== 'running' || !entry.arrival) return;
    this.#noNewcomer(entry);
    this.#begun.add(entry);
  }

  /** Counts the outcome of an entry; false when it has already ended. */
  end(entry: Entry, outcome: Outcome): boolean {
    if (!this.#open.delete(entry.id)) return false;
    this.#count(entry, -1);
    if (entry.arrival) this.#noNewcomer(entry);
    else this.#begun.delete(entry);
    this.#totals[outcome.kind] += 1;
    return true;
  }

  has(entry: Entry): boolean {
    return this.#open.get(entry.id) === entry;
  }

  find(id: string): Entry | null {
    return this.#open.get(id) ?? null;
  }

  /** Number of this client's requests that have not had a slot yet. */
  depthOf(ticket: QueueTicket): number {
    const own = this.#byAccount.get(clientAccount(ticket));
    return own ? sizeOf(own) : 0;
  }

  /** The newest request of the lowest priority below this one's, among all or among its client's own. */
  newestBelow(ticket: QueueTicket, among: 'all' | 'own'): Entry | null {
    const lists = among === 'all' ? this.#newcomers : this.#byAccount.get(clientAccount(ticket));
    for (const priority of LOWEST_FIRST) {
      if (priority === ticket.priority) return null;
      const newest = lists?.[priority].last;
      if (newest) return newest;
    }
    return null;
  }

  /** At most `limit` entries: running and replaying ones, then `next`, then the others in order of arrival. */
  first(limit: number, next: Iterable<Entry>): Entry[] {
    const shown = new Set<Entry>();
    for (const group of [this.#begun, next, ...PRIORITIES.map((priority) => this.#newcomers[priority])]) {
      for (const entry of group) {
        if (shown.size >= limit) break;
        if (this.has(entry)) shown.add(entry);
      }
    }
    return [...shown];
  }

  /** `held` are each backend's slots in use; those without a running request are draining. Milliseconds. */
  stats(held: readonly (readonly [BackendId, number])[], now: number): QueueStats {
    const { waiting: depth, running, replaying } = this.#states;
    const { high, medium, low } = this.#newcomers;
    const byBackend: QueueStats['by_backend'] = {};
    for (const [id, slots] of held) {
      const counts = this.#countsOf(id);
      byBackend[id] = { ...counts, draining: slots - counts.running };
    }
    const oldest = Math.min(now, ...[high, medium, low].map((list) => list.first?.admittedAt ?? now));
    return {
      depth,
      running,
      replaying,
      by_priority: { high: high.size, medium: medium.size, low: low.size },
      by_backend: byBackend,
      oldest_wait_ms: Math.round(now - oldest),
      ...this.#totals,
    };
  }

  #count(entry: Entry, by: 1 | -1): void {
    const state = stateOf(entry);
    this.#states[state] += by;
    const backend = backendOf(entry);
    if (backend === null || state === 'replaying') return;
    this.#countsOf(backend)[state === 'running' ? 'running' : 'depth'] += by;
  }

  #countsOf(backend: BackendId): { depth: number; running: number } {
    const counts = this.#backends.get(backend) ?? { depth: 0, running: 0 };
    this.#backends.set(backend, counts);
    return counts;
  }

  #noNewcomer(entry: Entry): void {
    const { ticket, arrival } = entry;
    if (!arrival) return;
    entry.arrival = null;
    this.#newcomers[ticket.priority].remove(arrival.among);
    const own = this.#byAccount.get(clientAccount(ticket));
    own?.[ticket.priority].remove(arrival.amongOwn);
    if (own && sizeOf(own) === 0) this.#byAccount.delete(clientAccount(ticket));
  }
}

function emptyLists(): Lists {
  return { high: new LinkedList(), medium: new LinkedList(), low: new LinkedList() };
}

function sizeOf({ high, medium, low }: Lists): number {
  return high.size + medium.size + low.size;
}
