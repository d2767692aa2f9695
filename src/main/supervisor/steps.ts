import type { ExitCause } from '../../shared/incidents';
import { backoffMs, coolDownMs, type SupervisorLimits } from './limits';
import type { AfterStop, Effect, Machine, Step, SupervisorState } from './machine';

/** Steps shared by the transitions in `transitions.ts`: each sets a state with its effects and timer. Pure. */

/** Causes that a restart cannot fix: the breaker opens at once, and only the user or the set-up closes it. */
const HOPELESS: ReadonlySet<ExitCause> = new Set(['bad_model', 'bad_arguments', 'runtime_broken']);

/** To a state, with what happens then and its timer. */
export function enter(
  machine: Machine,
  state: SupervisorState,
  timer: Step['timer'],
  effects: Effect[] = [],
): Step {
  return { machine: { ...machine, state }, effects, timer };
}

/** The process is wanted: searches for its program before anything is started. Only the latest search counts. */
export function look(machine: Machine): Step {
  return enter(machine, { name: 'absent', looking: true }, null, ['cancel-start', 'look']);
}

export function missing(machine: Machine): Step {
  return enter({ ...machine, trial: false }, { name: 'absent', looking: false }, null);
}

/** Changes what follows once the ending process has exited. */
export function afterwards(
  machine: Machine,
  state: Extract<Machine['state'], { name: 'stopping' }>,
  next: AfterStop,
): Step {
  return enter(machine, { ...state, next }, 'keep');
}

export function spawn(machine: Machine, limits: SupervisorLimits): Step {
  return enter(machine, { name: 'starting', stage: 'asking' }, limits.askMs, ['spawn']);
}

/** The first step of ending a process: SIGTERM. */
export function end(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  const effects: Effect[] = ['cancel-start', 'terminate'];
  return enter(machine, { name: 'stopping', stage: 'terminating', next }, limits.graceMs, effects);
}

export function kill(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  return enter(machine, { name: 'stopping', stage: 'killing', next }, limits.giveUpMs, ['kill']);
}

export function ignore(machine: Machine): Step {
  return { machine, effects: [], timer: 'keep' };
}

/** The process has exited; kills the rest of its group. */
export function afterExit(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  const after = settled(machine, next, limits);
  return { ...after, effects: ['cancel-start', 'reap', ...after.effects] };
}

function settled(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  if (next === 'spawn') return spawn(machine, limits);
  // Searches, because only the search says why the program is missing.
  if (next === 'absent')
    return enter({ ...machine, trial: false }, { name: 'absent', looking: true }, null, ['look']);
  if (next === 'stopped') return enter(machine, { name: 'stopped' }, null);
  const hopeless = machine.cause !== null && HOPELESS.has(machine.cause);
  if (next === 'open' || hopeless) return open(machine, null);
  // A failed probe comes here too: the counter stays until a stable time.
  if (machine.restarts >= limits.maxRestarts) {
    return open({ ...machine, openings: machine.openings + 1 }, coolDownMs(machine.openings, limits));
  }
  const delayMs = backoffMs(machine.restarts, limits);
  return enter(machine, { name: 'backoff', delayMs }, delayMs);
}

function open(machine: Machine, coolMs: number | null): Step {
  return enter({ ...machine, trial: false, broken: true }, { name: 'open', coolMs }, coolMs);
}
