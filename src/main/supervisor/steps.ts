import type { SupervisorLimits } from './limits';
import type { AfterStop, Machine, Step } from './machine';

/** The steps of which `transitions.ts` is made: what a new state brings with it. Pure. */

/** It is wanted: its program is looked for before anything is started. Only the last look counts. */
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

/** What follows when the process that is being ended has gone. */
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

/** The kill ladder's first rung. */
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
