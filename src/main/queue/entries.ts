import type { BackendId } from '../../shared/domain';
import type { TandemError } from '../../shared/errors';
import type { QueueEntry } from '../../shared/status';
import type { Link } from './linked-list';
import type { QueuePlace, QueueTicket, SlotWish } from './types';

/** The stage of an accepted request. */
export type Stage =
  | { kind: 'idle' }
  | {
      kind: 'waiting';
      /** Id of this wait, and then of its slot, in the scheduler. */
      lineId: string;
      wish: SlotWish;
      place: QueuePlace | null;
      /** The position last reported to its caller. */
      told: number | null;
      onPlace: (place: QueuePlace) => void;
      granted: () => void;
      leave: (reason: unknown) => void;
    }
  | { kind: 'running'; wish: SlotWish; since: number };

/** An accepted request that has not ended. */
export interface Entry {
  /** The request's id; made unique when a client uses one twice at a time. */
  id: string;
  ticket: QueueTicket;
  admittedAt: number;
  /** Slots that it has had; after the first one it counts as replaying instead of waiting. */
  attempts: number;
  stage: Stage;
  /** Its place among the requests that have not had a slot yet; null afterwards. */
  arrival: { among: Link<Entry>; amongOwn: Link<Entry> } | null;
  onDismissed: (reason: TandemError) => void;
}

/** A request between two slots, or waiting for its second one, is replaying; depth counts the first wait only. */
export function stateOf(entry: Entry): QueueEntry['state'] {
  if (entry.stage.kind === 'running') return 'running';
  return entry.attempts > 0 ? 'replaying' : 'waiting';
}

export function backendOf({ stage }: Entry): BackendId | null {
  return stage.kind === 'idle' ? null : stage.wish.backend;
}

/** Identifies a client; the part it chooses itself (after `#`) gives it neither more places nor more turns. */
export function clientAccount({ client }: Pick<QueueTicket, 'client'>): string {
  const end = client.indexOf('#');
  return end < 0 ? client : client.slice(0, end);
}

/** One row of the queue view; times in ms. */
export function queueEntryOf(entry: Entry, now: number): QueueEntry {
  const { ticket, stage } = entry;
  const wish = stage.kind === 'idle' ? null : stage.wish;
  const place = stage.kind === 'waiting' ? stage.place : null;
  const endsIn = stage.kind === 'running' ? stage.since + stage.wish.estimateMs - now : null;
  return {
    id: entry.id,
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
