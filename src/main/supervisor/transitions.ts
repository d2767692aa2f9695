import type { ExitCause } from '../../shared/incidents';
import type { SupervisorLimits } from './limits';
import type { Machine, StartStage, Step, SupervisorEvent } from './machine';
import { afterExit, afterwards, end, enter, ignore, kill, look, missing, spawn } from './steps';

/**
 * The life of one supervised process as a pure function: state × event → next state, effects, and the timer of the new
 * state. Only `supervisor.ts` calls it. The README of this folder shows it as a table.
 */

/** Causes that only say that a start failed; the exit itself may say more. */
const VAGUE: ReadonlySet<ExitCause | null> = new Set(['start_failed', 'start_timeout']);
/** Exit causes that follow from our own kill: they do not explain why the start failed. */
const ENDED_BY_US: ReadonlySet<ExitCause> = new Set(['killed', 'killed_by_os', 'unknown']);

export function transition(machine: Machine, event: SupervisorEvent, limits: SupervisorLimits): Step {
  const { state } = machine;
  switch (event.type) {
    case 'start':
      return onStart(machine);
    case 'needed':
      return state.name === 'absent' && !state.looking ? look(machine) : ignore(machine);
    case 'revive':
      return onRevive(machine, limits);
    case 'located':
      return state.name === 'absent' && state.looking ? spawn(machine, limits) : ignore(machine);
    case 'absent':
      return onAbsent(machine);
    case 'release':
      return onRelease(machine, limits);
    case 'restart':
      return onRestart(machine, limits);
    case 'start-given-up':
      return state.name === 'starting' ? end(machine, 'spawn', limits) : ignore(machine);
    case 'stop':
      return onStop(machine, limits);
    case 'stage':
      if (state.name !== 'starting' || state.stage === event.stage) return ignore(machine);
      return enter(
        machine,
        { name: 'starting', stage: event.stage },
        event.stage === 'spawning' ? limits.startTimeoutMs : 'keep',
      );
    case 'ready':
      if (state.name !== 'starting') return ignore(machine);
      // Without a model to probe there was no answer yet, only a listening server.
      return enter(state.stage === 'probing' ? mended(machine) : machine, { name: 'ready' }, limits.stableMs);
    case 'answered':
      if (state.name !== 'ready' || !machine.broken) return ignore(machine);
      return enter(mended(machine), state, 'keep');
    case 'start-failed':
      if (state.name !== 'starting') return ignore(machine);
      return end({ ...machine, cause: event.cause }, 'backoff', limits);
    case 'hung':
      if (state.name !== 'ready') return ignore(machine);
      return enter({ ...machine, cause: 'stalled' }, { name: 'hung' }, limits.giveUpMs, ['kill']);
    case 'exited':
      return onExited(machine, event, limits);
    case 'timer':
      return onTimer(machine, limits);
  }
}

function onStart(machine: Machine): Step {
  const { state } = machine;
  // While the breaker is open or a restart is planned, only the timer or the user starts the process.
  if (state.name === 'stopped' || state.name === 'absent') return look(machine);
  return state.name === 'stopping' && (state.next === 'stopped' || state.next === 'absent')
    ? afterwards(machine, state, 'spawn')
    : ignore(machine);
}

/** A process that is not wanted stays down. */
function onRevive(machine: Machine, limits: SupervisorLimits): Step {
  const { state } = machine;
  switch (state.name) {
    case 'backoff':
    case 'open':
      return onRestart(machine, limits);
    case 'absent':
      return look(machine);
    case 'stopping':
      return state.next === 'absent' ? afterwards(machine, state, 'spawn') : ignore(machine);
    case 'stopped':
    case 'starting':
    case 'ready':
    case 'hung':
      return ignore(machine);
  }
}

/** The search found nothing, or the program has disappeared since. */
function onAbsent(machine: Machine): Step {
  const { state } = machine;
  const expected = state.name === 'starting' || (state.name === 'absent' && state.looking);
  return expected ? missing(machine) : ignore(machine);
}

function onRelease(machine: Machine, limits: SupervisorLimits): Step {
  const { state } = machine;
  switch (state.name) {
    case 'stopped':
    case 'absent':
      return ignore(machine);
    case 'backoff':
    case 'open':
      return look({ ...machine, trial: false });
    case 'starting':
    case 'ready':
      return end({ ...machine, cause: null }, 'absent', limits);
    case 'hung':
      return kill(machine, 'absent', limits);
    case 'stopping':
      return state.next === 'stopped' ? ignore(machine) : afterwards(machine, state, 'absent');
  }
}

function onRestart(machine: Machine, limits: SupervisorLimits): Step {
  const fresh: Machine = { ...machine, restarts: 0, openings: 0, trial: false, cause: null };
  const { state } = fresh;
  switch (state.name) {
    case 'stopped':
    case 'absent':
      return look(fresh);
    case 'backoff':
    case 'open':
      return spawn(fresh, limits);
    case 'starting':
    case 'ready':
      return end(fresh, 'spawn', limits);
    case 'hung':
      return kill(fresh, 'spawn', limits);
    case 'stopping':
      return afterwards(fresh, state, 'spawn');
  }
}

function onStop(before: Machine, limits: SupervisorLimits): Step {
  const machine: Machine = { ...before, trial: false };
  const { state } = machine;
  switch (state.name) {
    case 'stopped':
      return ignore(before);
    case 'absent':
      return enter(machine, { name: 'stopped' }, null, ['cancel-start']);
    case 'backoff':
    case 'open':
      return enter(machine, { name: 'stopped' }, null);
    case 'starting':
    case 'ready':
      return end({ ...machine, cause: null }, 'stopped', limits);
    case 'hung':
      return kill(machine, 'stopped', limits);
    case 'stopping':
      return afterwards(machine, state, 'stopped');
  }
}

function onExited(
  machine: Machine,
  { cause, final = false }: Extract<SupervisorEvent, { type: 'exited' }>,
  limits: SupervisorLimits,
): Step {
  const { state } = machine;
  const next = final ? 'open' : 'backoff';
  switch (state.name) {
    case 'starting':
    case 'ready':
    case 'hung':
      return afterExit({ ...machine, cause }, next, limits);
    case 'stopping':
      return afterExit(learned(machine, cause), state.next === 'backoff' ? next : state.next, limits);
    case 'stopped':
    case 'absent':
    case 'backoff':
    case 'open':
      return ignore(machine);
  }
}

/** A probe that failed because the process was dying says less than its exit cause. */
function learned(machine: Machine, cause: ExitCause): Machine {
  return VAGUE.has(machine.cause) && !ENDED_BY_US.has(cause) ? { ...machine, cause } : machine;
}

function onTimer(machine: Machine, limits: SupervisorLimits): Step {
  const { state } = machine;
  switch (state.name) {
    case 'starting':
      return onStartTimer(machine, state.stage, limits);
    case 'ready':
      return enter({ ...mended(machine), restarts: 0, openings: 0 }, state, null);
    case 'stopping':
      return state.stage === 'terminating'
        ? kill(machine, state.next, limits)
        : afterExit(machine, state.next, limits);
    case 'hung':
      return afterExit(machine, 'backoff', limits);
    case 'backoff':
      return spawn({ ...machine, restarts: machine.restarts + 1 }, limits);
    case 'open':
      return state.coolMs === null ? ignore(machine) : spawn({ ...machine, trial: true }, limits);
    case 'stopped':
    case 'absent':
      return ignore(machine);
  }
}

/** A wait for memory is not a failed start, however long it takes. */
function onStartTimer(machine: Machine, stage: StartStage, limits: SupervisorLimits): Step {
  switch (stage) {
    case 'asking':
      return enter(machine, { name: 'starting', stage: 'waiting' }, limits.memoryWaitMs);
    case 'waiting':
      return enter(machine, { name: 'starting', stage: 'overdue' }, null);
    case 'overdue':
      return ignore(machine);
    case 'spawning':
    case 'loading':
    case 'probing':
      return end({ ...machine, cause: 'start_timeout' }, 'backoff', limits);
  }
}

function mended(machine: Machine): Machine {
  return { ...machine, trial: false, broken: false };
}
