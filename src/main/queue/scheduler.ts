import type { BackendId, Priority } from '../../shared/domain';
import { PRIORITIES } from '../../shared/domain';

/**
 * Who gets the next free slot of a backend. Pure: events in, effects out; time comes with the events.
 *
 * Decision, numbered as in the code:
 * 1. A free slot goes to the starved priority, lowest first: one whose oldest request was passed over
 *    `PASSES_BEFORE_TURN` times, or once and has waited `AGEING_MS`. So `low` never starves, and a crowd of `low`
 *    never keeps a chat message waiting for more than one of them in a row.
 * 2. Else to the highest priority that waits.
 * 3. Within a priority to the lowest turn. A client's requests take successive turns, a newcomer takes the current
 *    one: one client is served first in, first out, several clients alternate.
 * 4. Within a turn first in, first out.
 */
export type SchedulerEvent =
  | {
      type: 'wait';
      at: number;
      id: string;
      backend: BackendId;
      priority: Priority;
      client: string;
      estimateMs: number;
    }
  /** A waiting request goes away: cancelled, timed out or moved to another backend. */
  | { type: 'leave'; at: number; id: string }
  /** The slot of this request is free again. */
  | { type: 'free'; at: number; id: string }
  | { type: 'capacity'; at: number; backend: BackendId; slots: number };

export type SchedulerEffect = { type: 'grant'; id: string; backend: BackendId };

export interface WaitingView {
  id: string;
  /** 1-based, in the order of steps 2–4. */
  position: number;
  etaMs: number;
}

interface Waiting {
  id: string;
  priority: Priority;
  turn: number;
  since: number;
  estimateMs: number;
}

interface Line {
  slots: number;
  /** Slots in use, with the time at which each is expected to be free. */
  held: Map<string, number>;
  /** Sorted by turn, then arrival. */
  waiting: Record<Priority, Waiting[]>;
  /** Grants to others while a priority waited, since it was last served. */
  passed: Record<Priority, number>;
  turn: Record<Priority, number>;
  /** Last turn taken by each client that is ahead of the current one. */
  clientTurn: Record<Priority, Map<string, number>>;
}

const PASSES_BEFORE_TURN = 4;
const AGEING_MS = 60_000;
const LOWEST_FIRST = [...PRIORITIES].reverse();

export class Scheduler {
  readonly #lines = new Map<BackendId, Line>();
  /** Where each waiting or slot-holding request is. */
  readonly #places = new Map<string, BackendId>();

  constructor(slots: Record<BackendId, number>) {
    for (const [backend, count] of Object.entries(slots)) {
      this.#lines.set(backend as BackendId, emptyLine(count));
    }
  }

  handle(event: SchedulerEvent): SchedulerEffect[] {
    switch (event.type) {
      case 'wait':
        this.#enter(event);
        return this.#grant(event.backend, event.at);
      case 'leave':
        this.#leave(event.id);
        return [];
      case 'free':
        return this.#free(event.id, event.at);
      case 'capacity':
        this.#line(event.backend).slots = event.slots;
        return this.#grant(event.backend, event.at);
    }
  }

  /** Everyone waiting for a backend, in order, with the expected time to the start. */
  waiting(backend: BackendId, now: number): WaitingView[] {
    const line = this.#line(backend);
    const ordered = PRIORITIES.flatMap((priority) => line.waiting[priority]);
    if (ordered.length === 0) return [];
    const lanes = [...line.held.values()].map((freeAt) => Math.max(0, freeAt - now));
    while (lanes.length < line.slots) lanes.push(0);
    return ordered.map((entry, index) => {
      const lane = lanes.indexOf(Math.min(...lanes));
      const etaMs = lanes[lane] ?? 0;
      lanes[lane] = etaMs + entry.estimateMs;
      return { id: entry.id, position: index + 1, etaMs: Math.round(etaMs) };
    });
  }

  #enter(event: Extract<SchedulerEvent, { type: 'wait' }>): void {
    if (this.#places.has(event.id)) throw new RangeError(`request ${event.id} already waits or runs`);
    const { id, priority, client, estimateMs } = event;
    const line = this.#line(event.backend);
    const last = line.clientTurn[priority].get(client);
    const turn = Math.max(line.turn[priority], last === undefined ? 0 : last + 1);
    line.clientTurn[priority].set(client, turn);
    insertByTurn(line.waiting[priority], { id, priority, turn, since: event.at, estimateMs });
    this.#places.set(id, event.backend);
  }

  #leave(id: string): void {
    const backend = this.#places.get(id);
    if (backend === undefined) return;
    const line = this.#line(backend);
    for (const priority of PRIORITIES) {
      const index = line.waiting[priority].findIndex((entry) => entry.id === id);
      if (index < 0) continue;
      line.waiting[priority].splice(index, 1);
      this.#places.delete(id);
    }
  }

  #free(id: string, at: number): SchedulerEffect[] {
    const backend = this.#places.get(id);
    if (backend === undefined || !this.#line(backend).held.delete(id)) return [];
    this.#places.delete(id);
    return this.#grant(backend, at);
  }

  #grant(backend: BackendId, now: number): SchedulerEffect[] {
    const line = this.#line(backend);
    const effects: SchedulerEffect[] = [];
    while (line.held.size < line.slots) {
      const priority = nextPriority(line, now);
      const entry = priority && line.waiting[priority].shift();
      if (!entry) break;
      line.held.set(entry.id, now + entry.estimateMs);
      noteGrant(line, entry);
      effects.push({ type: 'grant', id: entry.id, backend });
    }
    return effects;
  }

  #line(backend: BackendId): Line {
    const line = this.#lines.get(backend);
    if (!line) throw new RangeError(`no slots configured for backend ${backend}`);
    return line;
  }
}

function nextPriority(line: Line, now: number): Priority | undefined {
  // 1. A starved priority.
  const starved = LOWEST_FIRST.find((priority) => {
    const oldest = line.waiting[priority][0];
    if (!oldest) return false;
    const passed = line.passed[priority];
    return passed >= PASSES_BEFORE_TURN || (passed >= 1 && now - oldest.since >= AGEING_MS);
  });
  // 2. The highest that waits.
  return starved ?? PRIORITIES.find((priority) => line.waiting[priority].length > 0);
}

function noteGrant(line: Line, granted: Waiting): void {
  for (const priority of PRIORITIES) {
    const waits = line.waiting[priority].length > 0;
    line.passed[priority] = priority === granted.priority || !waits ? 0 : line.passed[priority] + 1;
  }
  line.turn[granted.priority] = granted.turn;
  const turns = line.clientTurn[granted.priority];
  for (const [client, turn] of turns) {
    if (turn < granted.turn) turns.delete(client);
  }
}

/** 3. and 4.: sorted by turn, then arrival; a new entry is the latest arrival, so it goes behind its equals. */
function insertByTurn(list: Waiting[], entry: Waiting): void {
  let index = list.length;
  while (index > 0 && (list[index - 1] as Waiting).turn > entry.turn) index -= 1;
  list.splice(index, 0, entry);
}

function emptyLine(slots: number): Line {
  return {
    slots,
    held: new Map(),
    waiting: { high: [], medium: [], low: [] },
    passed: { high: 0, medium: 0, low: 0 },
    turn: { high: 0, medium: 0, low: 0 },
    clientTurn: { high: new Map(), medium: new Map(), low: new Map() },
  };
}
