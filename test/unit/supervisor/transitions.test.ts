import { describe, expect, test } from 'vitest';
import {
  backoffMs,
  DEFAULT_LIMITS,
  type Machine,
  type SupervisorEvent,
  type SupervisorState,
  transition,
} from '../../../src/main/supervisor/transitions';

const limits = DEFAULT_LIMITS;

/** `starting/probing` and the like; what follows a stop stands after the arrow. */
function print(state: SupervisorState): string {
  switch (state.name) {
    case 'starting':
      return `starting/${state.stage}`;
    case 'stopping':
      return `stopping/${state.stage}>${state.next}`;
    case 'backoff':
      return `backoff ${state.delayMs / 1000}s`;
    default:
      return state.name;
  }
}

const STATES: Record<string, SupervisorState> = {
  stopped: { name: 'stopped' },
  starting: { name: 'starting', stage: 'loading' },
  ready: { name: 'ready' },
  hung: { name: 'hung' },
  ending: { name: 'stopping', stage: 'terminating', next: 'stopped' },
  killing: { name: 'stopping', stage: 'killing', next: 'stopped' },
  restarting: { name: 'stopping', stage: 'terminating', next: 'spawn' },
  failing: { name: 'stopping', stage: 'terminating', next: 'backoff' },
  backoff: { name: 'backoff', delayMs: 5000 },
  open: { name: 'open' },
};

const EVENTS: Record<string, SupervisorEvent> = {
  start: { type: 'start' },
  revive: { type: 'revive' },
  restart: { type: 'restart' },
  stop: { type: 'stop' },
  probing: { type: 'stage', stage: 'probing' },
  ready: { type: 'ready' },
  'start fails': { type: 'start-failed', cause: 'start_failed' },
  hangs: { type: 'hung' },
  exits: { type: 'exited', cause: 'exited' },
  'bad model': { type: 'exited', cause: 'bad_model' },
  timer: { type: 'timer' },
};

/** state | event | next state | effects. What is not listed changes nothing. */
const TABLE = `
stopped    | start       | starting/spawning             | spawn
stopped    | revive      | starting/spawning             | spawn
stopped    | restart     | starting/spawning             | spawn
starting   | restart     | stopping/terminating>spawn    | cancel-start terminate
starting   | stop        | stopping/terminating>stopped  | cancel-start terminate
starting   | probing     | starting/probing              |
starting   | ready       | ready                         |
starting   | start fails | stopping/terminating>backoff  | cancel-start terminate
starting   | exits       | backoff 5s                    | cancel-start reap
starting   | bad model   | open                          | cancel-start reap
starting   | timer       | stopping/terminating>backoff  | cancel-start terminate
ready      | restart     | stopping/terminating>spawn    | cancel-start terminate
ready      | stop        | stopping/terminating>stopped  | cancel-start terminate
ready      | hangs       | hung                          | kill
ready      | exits       | backoff 5s                    | cancel-start reap
ready      | bad model   | open                          | cancel-start reap
ready      | timer       | ready                         |
hung       | restart     | stopping/killing>spawn        | kill
hung       | stop        | stopping/killing>stopped      | kill
hung       | exits       | backoff 5s                    | cancel-start reap
hung       | bad model   | backoff 5s                    | cancel-start reap
hung       | timer       | backoff 5s                    | cancel-start reap
ending     | start       | stopping/terminating>spawn    |
ending     | revive      | stopping/terminating>spawn    |
ending     | restart     | stopping/terminating>spawn    |
ending     | stop        | stopping/terminating>stopped  |
ending     | exits       | stopped                       | cancel-start reap
ending     | bad model   | stopped                       | cancel-start reap
ending     | timer       | stopping/killing>stopped      | kill
killing    | start       | stopping/killing>spawn        |
killing    | revive      | stopping/killing>spawn        |
killing    | restart     | stopping/killing>spawn        |
killing    | stop        | stopping/killing>stopped      |
killing    | exits       | stopped                       | cancel-start reap
killing    | bad model   | stopped                       | cancel-start reap
killing    | timer       | stopped                       | cancel-start reap
restarting | restart     | stopping/terminating>spawn    |
restarting | stop        | stopping/terminating>stopped  |
restarting | exits       | starting/spawning             | cancel-start reap spawn
restarting | bad model   | starting/spawning             | cancel-start reap spawn
restarting | timer       | stopping/killing>spawn        | kill
failing    | restart     | stopping/terminating>spawn    |
failing    | stop        | stopping/terminating>stopped  |
failing    | exits       | backoff 5s                    | cancel-start reap
failing    | bad model   | open                          | cancel-start reap
failing    | timer       | stopping/killing>backoff      | kill
backoff    | revive      | starting/spawning             | spawn
backoff    | restart     | starting/spawning             | spawn
backoff    | stop        | stopped                       |
backoff    | timer       | starting/spawning             | spawn
open       | revive      | starting/spawning             | spawn
open       | restart     | starting/spawning             | spawn
open       | stop        | stopped                       |
`;

const rows = TABLE.trim()
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()));

describe('every state and event', () => {
  for (const [stateName, state] of Object.entries(STATES)) {
    for (const [eventName, event] of Object.entries(EVENTS)) {
      const row = rows.find(([from, on]) => from === stateName && on === eventName);
      test(`${stateName} + ${eventName} -> ${row?.[2] ?? 'nothing'}`, () => {
        const cause = stateName === 'hung' ? 'hung' : stateName === 'failing' ? 'start_failed' : null;
        const machine: Machine = { state, restarts: 0, cause };
        const step = transition(machine, event, limits);
        if (!row) {
          expect(step).toEqual({ machine, effects: [], timer: 'keep' });
          return;
        }
        expect(print(step.machine.state)).toBe(row[2]);
        expect(step.effects.join(' ')).toBe(row[3]);
      });
    }
  }
});

describe('restarts', () => {
  test('backoff doubles from 5 s up to its ceiling', () => {
    const delays = Array.from({ length: 8 }, (_, restarts) => backoffMs(restarts, limits) / 1000);
    expect(delays).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
  });

  test('ten are tried, then the breaker opens', () => {
    let machine: Machine = { state: { name: 'ready' }, restarts: 0, cause: null };
    let tries = 0;
    while (machine.state.name !== 'open') {
      machine = transition(machine, { type: 'exited', cause: 'exited' }, limits).machine;
      if (machine.state.name !== 'backoff') break;
      machine = transition(machine, { type: 'timer' }, limits).machine;
      tries += 1;
    }
    expect(tries).toBe(10);
    expect(machine).toMatchObject({ state: { name: 'open' }, restarts: 10, cause: 'exited' });
  });

  test('a stable time resets the counter; the button resets counter and breaker', () => {
    const worn: Machine = { state: { name: 'ready' }, restarts: 7, cause: 'exited' };
    expect(transition(worn, { type: 'timer' }, limits).machine.restarts).toBe(0);
    const open: Machine = { state: { name: 'open' }, restarts: 10, cause: 'exited' };
    expect(transition(open, { type: 'restart' }, limits).machine).toMatchObject({ restarts: 0, cause: null });
  });

  test('how the process ended says more than the probe that failed with it', () => {
    const failing: Machine = {
      state: { name: 'stopping', stage: 'terminating', next: 'backoff' },
      restarts: 0,
      cause: 'start_failed',
    };
    const ended = transition(failing, { type: 'exited', cause: 'generation_dead' }, limits);
    expect(ended.machine.cause).toBe('generation_dead');
    const bySignal = transition(failing, { type: 'exited', cause: 'killed' }, limits);
    expect(bySignal.machine.cause).toBe('start_failed');
  });

  test('ending takes at most 8 s by default', () => {
    expect(limits.graceMs + limits.giveUpMs).toBeLessThanOrEqual(8000);
  });
});
