import { BACKEND_IDS, type BackendId, type Priority } from '../../shared/domain';
import type { QueueEntry, QueueStats } from '../../shared/status';
import type { WaitingView } from './scheduler';
import type { Place, QueueTicket, SlotWish } from './types';

/** Where an accepted request stands. */
export type Stage =
  | { kind: 'idle' }
  | {
      kind: 'waiting';
      /** Name of this wait, and then of its slot, in the scheduler. */
      lineId: string;
      wish: SlotWish;
      place: Place | null;
      onPlace: (place: Place) => void;
      granted: () => void;
      leave: (reason: unknown) => void;
    }
  | { kind: 'running'; wish: SlotWish; since: number };

/** An accepted request that has not ended. */
export interface Entry {
  ticket: QueueTicket;
  admittedAt: number;
  /** Slots that it has had; from the first on it replays instead of waiting. */
  attempts: number;
  stage: Stage;
}

/** A slot in use; it outlives its request while it drains. */
export interface Lease {
  backend: BackendId;
  owner: Entry;
  draining: boolean;
}

/** A request between two slots, or waiting for its second one, is replaying; depth counts the first wait only. */
export function stateOf(entry: Entry): QueueEntry['state'] {
  if (entry.stage.kind === 'running') return 'running';
  return entry.attempts > 0 ? 'replaying' : 'waiting';
}

type Totals = 'received' | 'accepted' | 'done' | 'failed' | 'cancelled' | 'rejected';

/** Counts what waits, runs and replays now; `by_priority` and `by_backend` break `depth` down. Milliseconds. */
export function tally(
  entries: ReadonlySet<Entry>,
  leases: Iterable<Lease>,
  now: number,
): Omit<QueueStats, Totals> {
  const byPriority: Record<Priority, number> = { high: 0, medium: 0, low: 0 };
  const byBackend: QueueStats['by_backend'] = {};
  for (const id of BACKEND_IDS) byBackend[id] = { depth: 0, running: 0, draining: 0 };
  const live = { depth: 0, running: 0, replaying: 0 };
  let oldest = 0;
  for (const entry of entries) {
    const state = stateOf(entry);
    if (state !== 'waiting') {
      live[state] += 1;
      continue;
    }
    live.depth += 1;
    byPriority[entry.ticket.priority] += 1;
    oldest = Math.max(oldest, now - entry.admittedAt);
    const wanted = entry.stage.kind === 'waiting' ? byBackend[entry.stage.wish.backend] : undefined;
    if (wanted) wanted.depth += 1;
  }
  for (const lease of leases) {
    const counts = byBackend[lease.backend];
    if (counts) counts[!lease.draining && entries.has(lease.owner) ? 'running' : 'draining'] += 1;
  }
  return { ...live, by_priority: byPriority, by_backend: byBackend, oldest_wait_ms: Math.round(oldest) };
}

/** One line of the queue view; times in ms. */
export function viewOf(entry: Entry, now: number, places: ReadonlyMap<string, WaitingView>): QueueEntry {
  const { ticket, stage } = entry;
  const wish = stage.kind === 'idle' ? null : stage.wish;
  const place = stage.kind === 'waiting' ? (places.get(stage.lineId) ?? null) : null;
  const endsIn = stage.kind === 'running' ? stage.since + stage.wish.estimateMs - now : null;
  return {
    id: ticket.id,
    client: ticket.client,
    priority: ticket.priority,
    category: wish?.category ?? null,
    backend: wish?.backend ?? null,
    model: wish?.model ?? null,
    state: stateOf(entry),
    position: place?.position ?? null,
    etaMs: place?.etaMs ?? (endsIn === null ? null : Math.max(0, Math.round(endsIn))),
    waitedMs: Math.round((stage.kind === 'running' ? stage.since : now) - entry.admittedAt),
  };
}
