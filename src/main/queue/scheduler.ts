import { type BackendId, PRIORITIES, type Priority } from '../../shared/domain';
import { clientAccount } from './entries';
import type { Groupable, LineEntry } from './fair-line';
import { PriorityLine } from './priority-line';

/** Decides who gets a backend's next free slot. Pure: events in, effects out; times come with the events, in ms. */
export type SchedulerEvent =
  | {
      type: 'wait';
      at: number;
      id: string;
      backend: BackendId;
      model: string;
      priority: Priority;
      client: string;
      /** Expected run time including the load. */
      estimateMs: number;
      /** The part of it that is saved after a request for the same model. */
      loadMs: number;
    }
  /** A waiting request leaves: cancelled, timed out or moved to another backend. */
  | { type: 'leave'; at: number; id: string }
  /** The slot of this request is free again. */
  | { type: 'free'; at: number; id: string }
  | { type: 'capacity'; at: number; backend: BackendId; slots: number };

export type SchedulerEffect = { type: 'grant'; id: string; backend: BackendId };

export interface WaitingView {
  id: string;
  /** 1-based, in the order of service if no request arrives or leaves. */
  position: number;
  /** Expected ms until the start. */
  etaMs: number;
}

interface Waiting extends Groupable {
  id: string;
  backend: BackendId;
  priority: Priority;
  estimateMs: number;
  loadMs: number;
}

interface Line {
  slots: number;
  /** Slots in use, each with the time at which it is expected to be free. */
  held: Map<string, number>;
  waiting: PriorityLine<Waiting>;
  /** Model of the last grant. */
  loaded: string | null;
  /** Expected ms of all waiting requests, without loads, by priority. */
  work: Record<Priority, number>;
  /** Models that requests wait for: how many wait with each priority, and the last reported load time, ms. */
  models: Map<string, { waiting: Record<Priority, number>; loadMs: number }>;
}

const NO_EFFECTS: readonly SchedulerEffect[] = [];

export class Scheduler {
  readonly #lines = new Map<BackendId, Line>();
  readonly #waiting = new Map<string, LineEntry<Waiting>>();
  /** The backend of each request that has a slot. */
  readonly #holders = new Map<string, BackendId>();

  constructor(slots: Readonly<Record<string, number>>) {
    for (const [backend, count] of Object.entries(slots)) {
      this.#lines.set(backend, emptyLine(count));
    }
  }

  handle(event: SchedulerEvent): readonly SchedulerEffect[] {
    switch (event.type) {
      case 'wait':
        this.#enter(event);
        return this.#grant(event.backend, event.at);
      case 'leave':
        this.#leave(event.id);
        return NO_EFFECTS;
      case 'free':
        return this.#free(event.id, event.at);
      case 'capacity':
        this.#line(event.backend).slots = event.slots;
        return this.#grant(event.backend, event.at);
    }
  }

  get backends(): BackendId[] {
    return [...this.#lines.keys()];
  }

  /** Number of a backend's slots in use. */
  held(backend: BackendId): number {
    return this.#line(backend).held.size;
  }

  /** All requests waiting for a backend in the order of service, with the expected waits. O(n). */
  waiting(backend: BackendId, now: number): WaitingView[] {
    const line = this.#line(backend);
    const views: WaitingView[] = [];
    if (line.waiting.size === 0) return views;
    const lanes = [...line.held.values()].map((freeAt) => Math.max(0, freeAt - now));
    while (lanes.length < line.slots) lanes.push(0);
    const rest = line.waiting.copy();
    let { loaded } = line;
    for (let next = rest.take(); next; next = rest.take()) {
      const lane = lanes.indexOf(Math.min(...lanes));
      const etaMs = lanes[lane] ?? 0;
      lanes[lane] = etaMs + runMs(next, loaded);
      loaded = next.model;
      views.push({ id: next.id, position: views.length + 1, etaMs: Math.round(etaMs) });
    }
    return views;
  }

  /**
   * Expected ms until a newcomer of this priority would start: the rest of the running requests plus those ahead of it,
   * with one load for each model that is not loaded. O(models).
   */
  etaMs(backend: BackendId, priority: Priority, now: number): number {
    const line = this.#line(backend);
    if (line.held.size < line.slots) return 0;
    let ahead = 0;
    for (const freeAt of line.held.values()) ahead += Math.max(0, freeAt - now);
    const before = PRIORITIES.slice(0, PRIORITIES.indexOf(priority) + 1);
    for (const other of before) ahead += line.work[other];
    for (const [model, { waiting, loadMs }] of line.models) {
      if (model !== line.loaded && before.some((other) => waiting[other] > 0)) ahead += loadMs;
    }
    return ahead / Math.max(1, line.held.size);
  }

  #enter(event: Extract<SchedulerEvent, { type: 'wait' }>): void {
    const { id, backend, model, priority, estimateMs, loadMs } = event;
    const client = clientAccount(event);
    if (this.#waiting.has(id) || this.#holders.has(id)) {
      throw new RangeError(`request ${id} already waits or runs`);
    }
    const line = this.#line(backend);
    this.#waiting.set(id, line.waiting.add({ id, backend, model, priority, client, estimateMs, loadMs }));
    line.work[priority] += estimateMs - loadMs;
    const wanted = line.models.get(model) ?? { waiting: { high: 0, medium: 0, low: 0 }, loadMs };
    wanted.waiting[priority] += 1;
    wanted.loadMs = loadMs;
    line.models.set(model, wanted);
  }

  #leave(id: string): void {
    const seat = this.#waiting.get(id);
    if (!seat) return;
    const line = this.#line(seat.request.backend);
    line.waiting.remove(seat);
    this.#forget(line, seat.request);
  }

  #free(id: string, at: number): readonly SchedulerEffect[] {
    const backend = this.#holders.get(id);
    if (backend === undefined) return NO_EFFECTS;
    this.#holders.delete(id);
    this.#line(backend).held.delete(id);
    return this.#grant(backend, at);
  }

  #grant(backend: BackendId, now: number): readonly SchedulerEffect[] {
    const line = this.#line(backend);
    const effects: SchedulerEffect[] = [];
    while (line.held.size < line.slots) {
      const next = line.waiting.take();
      if (!next) break;
      this.#forget(line, next);
      line.held.set(next.id, now + runMs(next, line.loaded));
      line.loaded = next.model;
      this.#holders.set(next.id, backend);
      effects.push({ type: 'grant', id: next.id, backend });
    }
    return effects;
  }

  /** Removes a request from the waiting ones. */
  #forget(line: Line, { id, model, priority, estimateMs, loadMs }: Waiting): void {
    this.#waiting.delete(id);
    line.work[priority] -= estimateMs - loadMs;
    const wanted = line.models.get(model);
    if (!wanted) return;
    wanted.waiting[priority] -= 1;
    if (PRIORITIES.every((other) => wanted.waiting[other] === 0)) line.models.delete(model);
  }

  #line(backend: BackendId): Line {
    const line = this.#lines.get(backend);
    if (!line) throw new RangeError(`no slots configured for backend ${backend}`);
    return line;
  }
}

function runMs({ model, estimateMs, loadMs }: Waiting, loaded: string | null): number {
  return model === loaded ? estimateMs - loadMs : estimateMs;
}

function emptyLine(slots: number): Line {
  const work = { high: 0, medium: 0, low: 0 };
  return { slots, held: new Map(), waiting: new PriorityLine(), loaded: null, work, models: new Map() };
}
