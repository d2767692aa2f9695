import type { Breaker, ExitCause } from '../../shared/incidents';
import type { BackendStatus } from '../../shared/status';

/** Types of the state machine for one supervised process; `transitions.ts` has the transitions. */

/** The state that follows once the ending process has exited. */
export type AfterStop = 'stopped' | 'absent' | 'spawn' | 'backoff' | 'open';

/**
 * `asking`: the memory check runs; `waiting`: for memory; `overdue`: that wait is long; then the process is `spawning`,
 * `loading`, `probing`.
 */
export type StartStage = 'asking' | 'waiting' | 'overdue' | 'spawning' | 'loading' | 'probing';

export type SupervisorState =
  /** Not wanted. */
  | { name: 'stopped' }
  /** Wanted, but its program is missing; `looking` while it is searched for. */
  | { name: 'absent'; looking: boolean }
  | { name: 'starting'; stage: StartStage }
  | { name: 'ready' }
  | { name: 'hung' }
  | { name: 'stopping'; stage: 'terminating' | 'killing'; next: AfterStop }
  | { name: 'backoff'; delayMs: number }
  /** `coolMs` until the probe; null = only the user or the set-up can close it. */
  | { name: 'open'; coolMs: number | null };

export interface Machine {
  state: SupervisorState;
  /** Automatic restarts since the counter was last reset. */
  restarts: number;
  /** How often the breaker has opened since the counter was last reset. */
  openings: number;
  /** This start is the one probe of a breaker that has cooled down, and no request has been answered yet. */
  trial: boolean;
  /** The breaker has opened, and no request has been answered since. */
  broken: boolean;
  /** Why the last process ended, or why it is being ended; null = none yet, or ended on request. */
  cause: ExitCause | null;
}

export type SupervisorEvent =
  /** The process is wanted from now on. */
  | { type: 'start' }
  /** A request needs the process; a process that is not wanted stays down. */
  | { type: 'needed' }
  | { type: 'located' }
  | { type: 'absent' }
  /** The program is about to be removed. */
  | { type: 'release' }
  /** The reason it was down may be gone (a finished set-up, the end of a sleep). */
  | { type: 'revive' }
  /** The user's button. */
  | { type: 'restart' }
  /** The start is abandoned because memory is short; the user did not ask for it and nothing has failed. */
  | { type: 'start-given-up' }
  | { type: 'stop' }
  | { type: 'stage'; stage: 'spawning' | 'loading' | 'probing' }
  | { type: 'ready' }
  /** A request was answered in full. */
  | { type: 'answered' }
  /** The process could not be started, or its readiness probe failed for good. */
  | { type: 'start-failed'; cause: ExitCause }
  /** `outside` = somebody paused the process, so no request caused the hang. */
  | { type: 'hung'; outside: boolean }
  /** `final` = a restart cannot help. */
  | { type: 'exited'; cause: ExitCause; final?: boolean }
  | { type: 'timer' };

export type Effect = 'look' | 'spawn' | 'cancel-start' | 'terminate' | 'kill' | 'reap';

export interface Step {
  machine: Machine;
  effects: Effect[];
  /** Ms until a `timer` event; null = no timer; 'keep' = the current timer continues. */
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

/** The stage name for the UI. */
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
