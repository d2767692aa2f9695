/**
 * The life of one supervised process as a pure function: state × event → next state, what to do, and the timer that
 * belongs to the new state. `supervisor.ts` is the only caller. The README of this folder shows it as a table.
 */

export type ExitCause =
  | 'exited'
  | 'killed'
  | 'port_taken'
  | 'bad_model'
  | 'bad_arguments'
  | 'runtime_broken'
  | 'start_failed'
  | 'start_timeout'
  | 'generation_dead'
  | 'out_of_memory'
  | 'parent_gone'
  | 'hung';

/** Causes that starting again cannot cure: the breaker opens at once. */
const HOPELESS: ReadonlySet<ExitCause> = new Set(['bad_model', 'bad_arguments', 'runtime_broken']);

/** What follows when the process that is being ended has gone. */
export type AfterStop = 'stopped' | 'spawn' | 'backoff';

export type StartStage = 'spawning' | 'loading' | 'probing';

export type SupervisorState =
  | { name: 'stopped' }
  | { name: 'starting'; stage: StartStage }
  | { name: 'ready' }
  | { name: 'hung' }
  | { name: 'stopping'; stage: 'terminating' | 'killing'; next: AfterStop }
  | { name: 'backoff'; delayMs: number }
  | { name: 'open' };

export interface Machine {
  state: SupervisorState;
  /** Automatic restarts since the counter was last reset. */
  restarts: number;
  /** Why the last process ended, or why it is being ended; null = never, or by request. */
  cause: ExitCause | null;
}

export type SupervisorEvent =
  /** Somebody needs it. */
  | { type: 'start' }
  /** What kept it down may have gone (a finished set-up, the end of a sleep). */
  | { type: 'revive' }
  /** The user's button. */
  | { type: 'restart' }
  | { type: 'stop' }
  | { type: 'stage'; stage: StartStage }
  | { type: 'ready' }
  /** It could not be started, or its readiness probe failed for good. */
  | { type: 'start-failed'; cause: ExitCause }
  | { type: 'hung' }
  | { type: 'exited'; cause: ExitCause }
  | { type: 'timer' };

export type Effect = 'spawn' | 'cancel-start' | 'terminate' | 'kill' | 'reap';

export interface Step {
  machine: Machine;
  effects: Effect[];
  /** Ms until a `timer` event; null = none; 'keep' = the running one goes on. */
  timer: number | null | 'keep';
}

export interface SupervisorLimits {
  /** From spawn to ready. */
  startTimeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
  /** After SIGKILL the process counts as gone whatever the OS says. */
  giveUpMs: number;
  backoffFirstMs: number;
  backoffCeilingMs: number;
  maxRestarts: number;
  /** Ready this long, the restart counter goes back to 0. */
  stableMs: number;
}

/** Product definition: backoff from 5 s, at most 10 restarts, all ended within 8 s. */
export const DEFAULT_LIMITS: SupervisorLimits = {
  startTimeoutMs: 300_000,
  graceMs: 4_000,
  giveUpMs: 2_000,
  backoffFirstMs: 5_000,
  backoffCeilingMs: 300_000,
  maxRestarts: 10,
  stableMs: 600_000,
};

export const INITIAL: Machine = { state: { name: 'stopped' }, restarts: 0, cause: null };

export function backoffMs(restarts: number, limits: SupervisorLimits): number {
  return Math.min(limits.backoffFirstMs * 2 ** restarts, limits.backoffCeilingMs);
}

export function transition(machine: Machine, event: SupervisorEvent, limits: SupervisorLimits): Step {
  switch (event.type) {
    case 'start':
      return onStart(machine, limits);
    case 'revive': {
      const { name } = machine.state;
      return name === 'backoff' || name === 'open' ? onRestart(machine, limits) : onStart(machine, limits);
    }
    case 'restart':
      return onRestart(machine, limits);
    case 'stop':
      return onStop(machine, limits);
    case 'stage':
      if (machine.state.name !== 'starting' || machine.state.stage === event.stage) return ignore(machine);
      return {
        machine: { ...machine, state: { name: 'starting', stage: event.stage } },
        effects: [],
        timer: 'keep',
      };
    case 'ready':
      if (machine.state.name !== 'starting') return ignore(machine);
      return { machine: { ...machine, state: { name: 'ready' } }, effects: [], timer: limits.stableMs };
    case 'start-failed':
      if (machine.state.name !== 'starting') return ignore(machine);
      return end({ ...machine, cause: event.cause }, 'backoff', limits);
    case 'hung':
      if (machine.state.name !== 'ready') return ignore(machine);
      return {
        machine: { ...machine, state: { name: 'hung' }, cause: 'hung' },
        effects: ['kill'],
        timer: limits.giveUpMs,
      };
    case 'exited':
      return onExited(machine, event.cause, limits);
    case 'timer':
      return onTimer(machine, limits);
  }
}

function onStart(machine: Machine, limits: SupervisorLimits): Step {
  const { state } = machine;
  // While the breaker is open or a restart is planned, only the plan or the user starts it.
  if (state.name === 'stopped') return spawn(machine, limits);
  if (state.name === 'stopping' && state.next === 'stopped') {
    return { machine: { ...machine, state: { ...state, next: 'spawn' } }, effects: [], timer: 'keep' };
  }
  return ignore(machine);
}

function onRestart(machine: Machine, limits: SupervisorLimits): Step {
  const fresh: Machine = { ...machine, restarts: 0, cause: null };
  const { state } = fresh;
  switch (state.name) {
    case 'stopped':
    case 'backoff':
    case 'open':
      return spawn(fresh, limits);
    case 'starting':
    case 'ready':
      return end(fresh, 'spawn', limits);
    case 'hung':
      return kill(fresh, 'spawn', limits);
    case 'stopping':
      return { machine: { ...fresh, state: { ...state, next: 'spawn' } }, effects: [], timer: 'keep' };
  }
}

function onStop(machine: Machine, limits: SupervisorLimits): Step {
  const { state } = machine;
  switch (state.name) {
    case 'stopped':
      return ignore(machine);
    case 'backoff':
    case 'open':
      return { machine: { ...machine, state: { name: 'stopped' } }, effects: [], timer: null };
    case 'starting':
    case 'ready':
      return end({ ...machine, cause: null }, 'stopped', limits);
    case 'hung':
      return kill(machine, 'stopped', limits);
    case 'stopping':
      return { machine: { ...machine, state: { ...state, next: 'stopped' } }, effects: [], timer: 'keep' };
  }
}

function onExited(machine: Machine, cause: ExitCause, limits: SupervisorLimits): Step {
  const { state } = machine;
  switch (state.name) {
    case 'starting':
    case 'ready':
      return settle({ ...machine, cause }, 'backoff', limits);
    case 'hung':
      return settle(machine, 'backoff', limits);
    case 'stopping':
      return settle(learned(machine, cause), state.next, limits);
    case 'stopped':
    case 'backoff':
    case 'open':
      return ignore(machine);
  }
}

/** A probe that failed because the process was dying says less than the way the process ended. */
function learned(machine: Machine, cause: ExitCause): Machine {
  return machine.cause === 'start_failed' && cause !== 'killed' ? { ...machine, cause } : machine;
}

function onTimer(machine: Machine, limits: SupervisorLimits): Step {
  const { state } = machine;
  switch (state.name) {
    case 'starting':
      return end({ ...machine, cause: 'start_timeout' }, 'backoff', limits);
    case 'ready':
      return { machine: { ...machine, restarts: 0 }, effects: [], timer: null };
    case 'stopping':
      return state.stage === 'terminating'
        ? kill(machine, state.next, limits)
        : settle(machine, state.next, limits);
    case 'hung':
      return settle(machine, 'backoff', limits);
    case 'backoff':
      return spawn({ ...machine, restarts: machine.restarts + 1 }, limits);
    case 'stopped':
    case 'open':
      return ignore(machine);
  }
}

function spawn(machine: Machine, limits: SupervisorLimits): Step {
  return {
    machine: { ...machine, state: { name: 'starting', stage: 'spawning' } },
    effects: ['spawn'],
    timer: limits.startTimeoutMs,
  };
}

/** The kill ladder's first rung. */
function end(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  return {
    machine: { ...machine, state: { name: 'stopping', stage: 'terminating', next } },
    effects: ['cancel-start', 'terminate'],
    timer: limits.graceMs,
  };
}

function kill(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  return {
    machine: { ...machine, state: { name: 'stopping', stage: 'killing', next } },
    effects: ['kill'],
    timer: limits.giveUpMs,
  };
}

/** The process is gone; what is left of its group goes with it. */
function settle(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  const after = settled(machine, next, limits);
  return { ...after, effects: ['cancel-start', 'reap', ...after.effects] };
}

function settled(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  if (next === 'spawn') return spawn(machine, limits);
  if (next === 'stopped')
    return { machine: { ...machine, state: { name: 'stopped' } }, effects: [], timer: null };
  const hopeless = machine.cause !== null && HOPELESS.has(machine.cause);
  if (hopeless || machine.restarts >= limits.maxRestarts) {
    return { machine: { ...machine, state: { name: 'open' } }, effects: [], timer: null };
  }
  const delayMs = backoffMs(machine.restarts, limits);
  return { machine: { ...machine, state: { name: 'backoff', delayMs } }, effects: [], timer: delayMs };
}

function ignore(machine: Machine): Step {
  return { machine, effects: [], timer: 'keep' };
}
