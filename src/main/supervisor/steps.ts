import type { SupervisorLimits } from './limits';
import type { AfterStop, Machine, Step } from './machine';

/** Steps shared by the transitions in `transitions.ts`: each sets a state with its effects and timer. Pure. */

/** The process is wanted: searches for its program before anything is started. Only the latest search counts. */
export function look(machine: Machine): Step {
  return {
    machine: { ...machine, state: { name: 'absent', looking: true } },
    effects: ['cancel-start', 'look'],
    timer: null,
  };
}

export function missing(machine: Machine): Step {
  return {
    machine: { ...machine, state: { name: 'absent', looking: false }, trial: false },
    effects: [],
    timer: null,
  };
}

/** Changes what follows once the ending process has exited. */
export function afterwards(
  machine: Machine,
  state: Extract<Machine['state'], { name: 'stopping' }>,
  next: AfterStop,
): Step {
  return { machine: { ...machine, state: { ...state, next } }, effects: [], timer: 'keep' };
}

export function spawn(machine: Machine, limits: SupervisorLimits): Step {
  return {
    machine: { ...machine, state: { name: 'starting', stage: 'asking' } },
    effects: ['spawn'],
    timer: limits.askMs,
  };
}

/** The first step of ending a process: SIGTERM. */
export function end(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  return {
    machine: { ...machine, state: { name: 'stopping', stage: 'terminating', next } },
    effects: ['cancel-start', 'terminate'],
    timer: limits.graceMs,
  };
}

export function kill(machine: Machine, next: AfterStop, limits: SupervisorLimits): Step {
  return {
    machine: { ...machine, state: { name: 'stopping', stage: 'killing', next } },
    effects: ['kill'],
    timer: limits.giveUpMs,
  };
}

export function ignore(machine: Machine): Step {
  return { machine, effects: [], timer: 'keep' };
}
