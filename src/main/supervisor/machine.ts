import type { Breaker, ExitCause } from '../../shared/incidents';
import type { BackendStatus } from '../../shared/status';

/** What the life of one supervised process is made of; `transitions.ts` says how it goes on. */

/** What follows when the process that is being ended has gone. */
export type AfterStop = 'stopped' | 'absent' | 'spawn' | 'backoff' | 'open';

/**
 * `asking` whether memory allows it, `waiting` for memory, `overdue` in that, then the process: `spawning`, `loading`,
 * `probing`.
 */
export type StartStage = 'asking' | 'waiting' | 'overdue' | 'spawning' | 'loading' | 'probing';

export type SupervisorState =
  /** Not wanted. */
  | { name: 'stopped' }
  /** Wanted, without a program to start; `looking` for one. */
  | { name: 'absent'; looking: boolean }
  | { name: 'starting'; stage: StartStage }
  | { name: 'ready' }
  | { name: 'hung' }
  | { name: 'stopping'; stage: 'terminating' | 'killing'; next: AfterStop }
  | { name: 'backoff'; delayMs: number }
  /** `coolMs` until the probe; null = only a person or the set-up can close it. */
  | { name: 'open'; coolMs: number | null };

export interface Machine {
  state: SupervisorState;
  /** Automatic restarts since the counter was last reset. */
  restarts: number;
  /** How often the breaker has opened since the counter was last reset. */
  openings: number;
  /** This start is the one probe of a breaker that has cooled down, and nothing has been answered yet. */
  trial: boolean;
  /** The breaker has opened, and nothing has been answered since. */
  broken: boolean;
  /** Why the last process ended, or why it is being ended; null = never, or by request. */
  cause: ExitCause | null;
}

export type SupervisorEvent =
  /** It is wanted from now on. */
  | { type: 'start' }
  /** A request needs it; what is not wanted stays as it is. */
  | { type: 'needed' }
  | { type: 'located' }
  | { type: 'absent' }
  /** Its program is about to be removed. */
  | { type: 'release' }
  /** What kept it down may have gone (a finished set-up, the end of a sleep). */
  | { type: 'revive' }
  /** The user's button. */
  | { type: 'restart' }
  /** A start is given up because memory is short; nobody asked for it and nothing has failed. */
  | { type: 'start-given-up' }
  | { type: 'stop' }
  | { type: 'stage'; stage: 'spawning' | 'loading' | 'probing' }
  | { type: 'ready' }
  /** A request got a whole answer. */
  | { type: 'answered' }
  /** It could not be started, or its readiness probe failed for good. */
  | { type: 'start-failed'; cause: ExitCause }
  /** `outside` = not for what it was asked to do: somebody has paused it. */
  | { type: 'hung'; outside: boolean }
  /** `final` = starting again cannot help. */
  | { type: 'exited'; cause: ExitCause; final?: boolean }
  | { type: 'timer' };

export type Effect = 'look' | 'spawn' | 'cancel-start' | 'terminate' | 'kill' | 'reap';

export interface Step {
  machine: Machine;
  effects: Effect[];
  /** Ms until a `timer` event; null = none; 'keep' = the running one goes on. */
  timer: number | null | 'keep';
}

export const INITIAL: Machine = {
  state: { name: 'stopped' },
  restarts: 0,
  openings: 0,
  trial: false,
  broken: false,
  cause: null,
};

export function breakerState({ state, trial }: Machine): Breaker['state'] {
  if (state.name === 'open') return 'open';
  return trial ? 'half_open' : 'closed';
}

/** The word for people and the UI. */
export function shownStage(state: SupervisorState): BackendStatus['stage'] {
  switch (state.name) {
    case 'starting':
      if (state.stage === 'asking') return 'spawning';
      return state.stage === 'overdue' ? 'waiting' : state.stage;
    case 'stopping':
      return state.stage;
    case 'hung':
      return 'killing';
    case 'stopped':
    case 'absent':
    case 'ready':
    case 'backoff':
    case 'open':
      return 'idle';
  }
}
