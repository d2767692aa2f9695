import type { LifeEvent } from '../../../shared/incidents';

/** State of a server over a span of time. */
export type LifeState = 'up' | 'starting' | 'waiting' | 'resting' | 'down' | 'off';

export interface LifeSpan {
  state: LifeState;
  /** Wall time, ms. */
  from: number;
  to: number;
}

/** The state that an event begins; null = no change of state. */
const BEGINS: Record<LifeEvent['type'], LifeState | null> = {
  started: 'starting',
  ready: 'up',
  adopted: 'up',
  died: 'down',
  stalled: 'down',
  lost: 'down',
  waiting_for_memory: 'waiting',
  restart_planned: 'down',
  restarted_by_user: 'down',
  preload_given_up: 'down',
  rung: null,
  explained: null,
  kernel_panic: null,
  breaker_open: 'resting',
  breaker_half_open: 'starting',
  breaker_closed: null,
  stopped: 'off',
};

/**
 * The life of one server as spans, oldest first, without gaps since Tandem started. Deaths before that have no length:
 * what came after them was not observed.
 * @param events of this server, oldest first
 * @param windowMs how far back it reaches; earlier time is cut off
 */
export function lifeSpans(events: readonly LifeEvent[], now: number, windowMs: number): LifeSpan[] {
  const start = now - windowMs;
  // Only the deaths of earlier runs are stored, and in this run a server's first event is never a death.
  const first = events.findIndex(({ type }) => type !== 'died');
  const earlier = first === -1 ? events : events.slice(0, first);
  const marks = earlier.map(({ at }): LifeSpan => ({ state: 'down', from: at, to: at }));
  const spans = spansOf(events.slice(earlier.length), start, now);
  return [...marks.filter(({ from }) => from >= start), ...spans.filter(({ to }) => to > start)];
}

function spansOf(events: readonly LifeEvent[], start: number, now: number): LifeSpan[] {
  const spans: LifeSpan[] = [];
  for (const [index, event] of events.entries()) {
    const last = spans.at(-1);
    const state = BEGINS[event.type] ?? last?.state;
    if (state === undefined) continue;
    const from = Math.max(event.at, start);
    const to = Math.max(from, Math.min(events[index + 1]?.at ?? now, now));
    if (last?.state === state) last.to = to;
    else if (to > from || index === events.length - 1) spans.push({ state, from, to });
  }
  return spans;
}

/** How often the server ended without being told to. A server that stalls is killed, which is recorded as a death. */
export function countStops(events: readonly LifeEvent[]): number {
  return events.filter(({ type }) => type === 'died' || type === 'lost').length;
}
