import { describe, expect, test } from 'vitest';
import { backoffMs, DEFAULT_LIMITS, readLimits, restartLimits } from '../../../src/main/supervisor/limits';
import {
  breakerState,
  INITIAL,
  type Machine,
  type SupervisorEvent,
  type SupervisorState,
  shownStage,
} from '../../../src/main/supervisor/machine';
import { transition } from '../../../src/main/supervisor/transitions';

const limits = DEFAULT_LIMITS;

/** `starting/probing` and so on; the state after a stop follows the arrow. */
function print(state: SupervisorState): string {
  switch (state.name) {
    case 'starting':
      return `starting/${state.stage}`;
    case 'stopping':
      return `stopping/${state.stage}>${state.next}`;
    case 'backoff':
      return `backoff ${state.delayMs / 1000}s`;
    case 'open':
      return state.coolMs === null ? 'open' : `open ${state.coolMs / 1000}s`;
    case 'absent':
      return state.looking ? 'looking' : 'absent';
    default:
      return state.name;
  }
}

const STATES: Record<string, SupervisorState> = {
  stopped: { name: 'stopped' },
  absent: { name: 'absent', looking: false },
  looking: { name: 'absent', looking: true },
  asking: { name: 'starting', stage: 'asking' },
  waiting: { name: 'starting', stage: 'waiting' },
  overdue: { name: 'starting', stage: 'overdue' },
  starting: { name: 'starting', stage: 'loading' },
  ready: { name: 'ready' },
  hung: { name: 'hung' },
  ending: { name: 'stopping', stage: 'terminating', next: 'stopped' },
  killing: { name: 'stopping', stage: 'killing', next: 'stopped' },
  restarting: { name: 'stopping', stage: 'terminating', next: 'spawn' },
  removing: { name: 'stopping', stage: 'terminating', next: 'absent' },
  failing: { name: 'stopping', stage: 'terminating', next: 'backoff' },
  backoff: { name: 'backoff', delayMs: 5000 },
  open: { name: 'open', coolMs: null },
  cooling: { name: 'open', coolMs: 600_000 },
};

const EVENTS: Record<string, SupervisorEvent> = {
  start: { type: 'start' },
  needed: { type: 'needed' },
  located: { type: 'located' },
  missing: { type: 'absent' },
  revive: { type: 'revive' },
  release: { type: 'release' },
  restart: { type: 'restart' },
  'given up': { type: 'start-given-up' },
  stop: { type: 'stop' },
  allowed: { type: 'stage', stage: 'spawning' },
  probing: { type: 'stage', stage: 'probing' },
  ready: { type: 'ready' },
  answered: { type: 'answered' },
  'start fails': { type: 'start-failed', cause: 'start_failed' },
  hangs: { type: 'hung', outside: false },
  exits: { type: 'exited', cause: 'unknown' },
  'bad model': { type: 'exited', cause: 'bad_model' },
  'exits for good': { type: 'exited', cause: 'out_of_memory', final: true },
  timer: { type: 'timer' },
};

/** state | event | next state | effects. Combinations not listed change nothing. */
const TABLE = `
stopped    | start       | looking                       | cancel-start look
stopped    | restart     | looking                       | cancel-start look
absent     | start       | looking                       | cancel-start look
absent     | needed      | looking                       | cancel-start look
absent     | revive      | looking                       | cancel-start look
absent     | restart     | looking                       | cancel-start look
absent     | stop        | stopped                       | cancel-start
looking    | start       | looking                       | cancel-start look
looking    | located     | starting/asking               | spawn
looking    | missing     | absent                        |
looking    | revive      | looking                       | cancel-start look
looking    | restart     | looking                       | cancel-start look
looking    | stop        | stopped                       | cancel-start
removing   | start       | stopping/terminating>spawn    |
removing   | revive      | stopping/terminating>spawn    |
removing   | restart     | stopping/terminating>spawn    |
removing   | release     | stopping/terminating>absent   |
removing   | stop        | stopping/terminating>stopped  |
removing   | exits       | looking                       | cancel-start reap look
removing   | bad model   | looking                       | cancel-start reap look
removing   | exits for good | looking                       | cancel-start reap look
removing   | timer       | stopping/killing>absent       | kill
asking     | restart     | stopping/terminating>spawn    | cancel-start terminate
asking     | missing     | absent                        |
asking     | given up    | stopping/terminating>spawn    | cancel-start terminate
asking     | release     | stopping/terminating>absent   | cancel-start terminate
asking     | stop        | stopping/terminating>stopped  | cancel-start terminate
asking     | allowed     | starting/spawning             |
asking     | probing     | starting/probing              |
asking     | ready       | ready                         |
asking     | start fails | stopping/terminating>backoff  | cancel-start terminate
asking     | exits       | backoff 5s                    | cancel-start reap
asking     | bad model   | open                          | cancel-start reap
asking     | exits for good | open                          | cancel-start reap
asking     | timer       | starting/waiting              |
waiting    | restart     | stopping/terminating>spawn    | cancel-start terminate
waiting    | missing     | absent                        |
waiting    | given up    | stopping/terminating>spawn    | cancel-start terminate
waiting    | release     | stopping/terminating>absent   | cancel-start terminate
waiting    | stop        | stopping/terminating>stopped  | cancel-start terminate
waiting    | allowed     | starting/spawning             |
waiting    | probing     | starting/probing              |
waiting    | ready       | ready                         |
waiting    | start fails | stopping/terminating>backoff  | cancel-start terminate
waiting    | exits       | backoff 5s                    | cancel-start reap
waiting    | bad model   | open                          | cancel-start reap
waiting    | exits for good | open                          | cancel-start reap
waiting    | timer       | starting/overdue              |
overdue    | restart     | stopping/terminating>spawn    | cancel-start terminate
overdue    | missing     | absent                        |
overdue    | given up    | stopping/terminating>spawn    | cancel-start terminate
overdue    | release     | stopping/terminating>absent   | cancel-start terminate
overdue    | stop        | stopping/terminating>stopped  | cancel-start terminate
overdue    | allowed     | starting/spawning             |
overdue    | probing     | starting/probing              |
overdue    | ready       | ready                         |
overdue    | start fails | stopping/terminating>backoff  | cancel-start terminate
overdue    | exits       | backoff 5s                    | cancel-start reap
overdue    | bad model   | open                          | cancel-start reap
overdue    | exits for good | open                          | cancel-start reap
starting   | allowed     | starting/spawning             |
starting   | restart     | stopping/terminating>spawn    | cancel-start terminate
starting   | missing     | absent                        |
starting   | given up    | stopping/terminating>spawn    | cancel-start terminate
starting   | release     | stopping/terminating>absent   | cancel-start terminate
starting   | stop        | stopping/terminating>stopped  | cancel-start terminate
starting   | probing     | starting/probing              |
starting   | ready       | ready                         |
starting   | start fails | stopping/terminating>backoff  | cancel-start terminate
starting   | exits       | backoff 5s                    | cancel-start reap
starting   | bad model   | open                          | cancel-start reap
starting   | exits for good | open                          | cancel-start reap
starting   | timer       | stopping/terminating>backoff  | cancel-start terminate
ready      | restart     | stopping/terminating>spawn    | cancel-start terminate
ready      | release     | stopping/terminating>absent   | cancel-start terminate
ready      | stop        | stopping/terminating>stopped  | cancel-start terminate
ready      | hangs       | hung                          | kill
ready      | exits       | backoff 5s                    | cancel-start reap
ready      | bad model   | open                          | cancel-start reap
ready      | exits for good | open                          | cancel-start reap
ready      | timer       | ready                         |
hung       | restart     | stopping/killing>spawn        | kill
hung       | release     | stopping/killing>absent       | kill
hung       | stop        | stopping/killing>stopped      | kill
hung       | exits       | backoff 5s                    | cancel-start reap
hung       | bad model   | open                          | cancel-start reap
hung       | exits for good | open                          | cancel-start reap
hung       | timer       | backoff 5s                    | cancel-start reap
ending     | start       | stopping/terminating>spawn    |
ending     | restart     | stopping/terminating>spawn    |
ending     | stop        | stopping/terminating>stopped  |
ending     | exits       | stopped                       | cancel-start reap
ending     | bad model   | stopped                       | cancel-start reap
ending     | exits for good | stopped                       | cancel-start reap
ending     | timer       | stopping/killing>stopped      | kill
killing    | start       | stopping/killing>spawn        |
killing    | restart     | stopping/killing>spawn        |
killing    | stop        | stopping/killing>stopped      |
killing    | exits       | stopped                       | cancel-start reap
killing    | bad model   | stopped                       | cancel-start reap
killing    | exits for good | stopped                       | cancel-start reap
killing    | timer       | stopped                       | cancel-start reap
restarting | restart     | stopping/terminating>spawn    |
restarting | release     | stopping/terminating>absent   |
restarting | stop        | stopping/terminating>stopped  |
restarting | exits       | starting/asking               | cancel-start reap spawn
restarting | bad model   | starting/asking               | cancel-start reap spawn
restarting | exits for good | starting/asking               | cancel-start reap spawn
restarting | timer       | stopping/killing>spawn        | kill
failing    | restart     | stopping/terminating>spawn    |
failing    | release     | stopping/terminating>absent   |
failing    | stop        | stopping/terminating>stopped  |
failing    | exits       | backoff 5s                    | cancel-start reap
failing    | bad model   | open                          | cancel-start reap
failing    | exits for good | open                          | cancel-start reap
failing    | timer       | stopping/killing>backoff      | kill
backoff    | revive      | starting/asking               | spawn
backoff    | restart     | starting/asking               | spawn
backoff    | release     | looking                       | cancel-start look
backoff    | stop        | stopped                       |
backoff    | timer       | starting/asking               | spawn
open       | revive      | starting/asking               | spawn
open       | restart     | starting/asking               | spawn
open       | release     | looking                       | cancel-start look
open       | stop        | stopped                       |
cooling    | revive      | starting/asking               | spawn
cooling    | restart     | starting/asking               | spawn
cooling    | release     | looking                       | cancel-start look
cooling    | stop        | stopped                       |
cooling    | timer       | starting/asking               | spawn
`;

const rows = TABLE.trim()
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()));

describe('every state and event', () => {
  for (const [stateName, state] of Object.entries(STATES)) {
    for (const [eventName, event] of Object.entries(EVENTS)) {
      const row = rows.find(([from, on]) => from === stateName && on === eventName);
      test(`${stateName} + ${eventName} -> ${row?.[2] ?? 'nothing'}`, () => {
        const cause = stateName === 'hung' ? 'stalled' : stateName === 'failing' ? 'start_failed' : null;
        const machine: Machine = { ...INITIAL, state, cause };
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
    let machine: Machine = { ...INITIAL, state: { name: 'ready' } };
    let tries = 0;
    while (machine.state.name !== 'open') {
      machine = transition(machine, { type: 'exited', cause: 'unknown' }, limits).machine;
      if (machine.state.name !== 'backoff') break;
      machine = transition(machine, { type: 'timer' }, limits).machine;
      tries += 1;
    }
    expect(tries).toBe(10);
    expect(machine).toMatchObject({ state: { name: 'open' }, restarts: 10, cause: 'unknown' });
  });

  test('a stable time resets the counter; the button resets counter and breaker', () => {
    const worn: Machine = { ...INITIAL, state: { name: 'ready' }, restarts: 7, openings: 2 };
    expect(transition(worn, { type: 'timer' }, limits).machine).toMatchObject({ restarts: 0, openings: 0 });
    const open: Machine = { ...INITIAL, state: { name: 'open', coolMs: null }, restarts: 10, openings: 2 };
    expect(transition(open, { type: 'restart' }, limits).machine).toMatchObject({
      restarts: 0,
      openings: 0,
      cause: null,
    });
  });

  test('a specific exit cause takes precedence over the failed probe', () => {
    const failing: Machine = {
      ...INITIAL,
      state: { name: 'stopping', stage: 'terminating', next: 'backoff' },
      cause: 'start_failed',
    };
    const ended = transition(failing, { type: 'exited', cause: 'generation_dead' }, limits);
    expect(ended.machine.cause).toBe('generation_dead');
    const bySignal = transition(failing, { type: 'exited', cause: 'killed' }, limits);
    expect(bySignal.machine.cause).toBe('start_failed');
  });

  test('stopping takes at most 8 s by default', () => {
    expect(limits.graceMs + limits.giveUpMs).toBeLessThanOrEqual(8000);
  });
});

describe('the breaker', () => {
  const crash: SupervisorEvent = { type: 'exited', cause: 'unknown' };
  const timer: SupervisorEvent = { type: 'timer' };
  const run = (machine: Machine, ...events: SupervisorEvent[]) =>
    events.reduce((now, event) => transition(now, event, limits).machine, machine);
  const worn: Machine = { ...INITIAL, state: { name: 'ready' }, restarts: 10 };

  test('opens for ten minutes, doubling up to an hour with each failed probe', () => {
    let machine = run(worn, crash);
    const cools: (number | null)[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      cools.push(machine.state.name === 'open' ? machine.state.coolMs : null);
      machine = run(machine, timer);
      expect(breakerState(machine)).toBe('half_open');
      machine = run(machine, crash);
      expect(breakerState(machine)).toBe('open');
    }
    expect(cools).toEqual([600_000, 1_200_000, 2_400_000, 3_600_000, 3_600_000]);
    expect(machine.restarts).toBe(10);
  });

  test('its probe is one start: any other failure in it opens the breaker again', () => {
    const half = run(worn, crash, timer);
    expect(run(half, { type: 'start-failed', cause: 'start_failed' }, crash).state.name).toBe('open');
    expect(run(half, { type: 'stage', stage: 'spawning' }, timer, timer, timer).state).toMatchObject({
      name: 'open',
      coolMs: 1_200_000,
    });
    expect(run(half, { type: 'exited', cause: 'bad_model' }).state).toEqual({ name: 'open', coolMs: null });
  });

  test('an answer closes it; the counter stays until a stable time, so that the next crash opens it again', () => {
    const closed = run(worn, crash, timer, { type: 'stage', stage: 'probing' }, { type: 'ready' });
    expect([breakerState(closed), closed.restarts]).toEqual(['closed', 10]);
    expect(run(closed, crash).state).toMatchObject({ name: 'open', coolMs: 1_200_000 });
    expect(run(closed, timer, crash).state.name).toBe('backoff');
  });

  test('without a model to probe it stays half-open until an answered request or a stable time', () => {
    const listens = run(worn, crash, timer, { type: 'ready' });
    expect([listens.state.name, breakerState(listens)]).toEqual(['ready', 'half_open']);
    expect(run(listens, crash).state).toMatchObject({ name: 'open', coolMs: 1_200_000 });
    expect(breakerState(run(listens, { type: 'answered' }))).toBe('closed');
    expect(breakerState(run(listens, timer))).toBe('closed');
  });

  test('an exit after which its owner gives up waits for the user; a requested stop or restart goes first', () => {
    const last: SupervisorEvent = { type: 'exited', cause: 'out_of_memory', final: true };
    const ready: Machine = { ...INITIAL, state: { name: 'ready' } };
    for (const before of [[], [{ type: 'hung', outside: false }], [{ type: 'ready' }]] as const) {
      expect(run(ready, ...before, last).state).toEqual({ name: 'open', coolMs: null });
    }
    expect(run(ready, { type: 'restart' }, last).state.name).toBe('starting');
    expect(run(ready, { type: 'stop' }, last).state.name).toBe('stopped');
    expect(run(ready, last, { type: 'restart' }).state.name).toBe('starting');
  });

  test('a cause that no start can cure waits for the user', () => {
    const open = run({ ...INITIAL, state: { name: 'ready' } }, { type: 'exited', cause: 'runtime_broken' });
    expect(open.state).toEqual({ name: 'open', coolMs: null });
    expect(transition(open, timer, limits).machine).toBe(open);
    expect(breakerState(run(open, { type: 'restart' }))).toBe('closed');
  });

  test('stopping ends the probe, and the next start is a normal one', () => {
    const stopped = run(worn, crash, timer, { type: 'stop' }, crash);
    expect([stopped.state.name, breakerState(stopped)]).toEqual(['stopped', 'closed']);
  });
});

describe('limits', () => {
  test('waiting for memory is shown, however long it takes', () => {
    expect(
      (['asking', 'waiting', 'overdue'] as const).map((stage) => shownStage({ name: 'starting', stage })),
    ).toEqual(['spawning', 'waiting', 'waiting']);
  });

  test('follow the settings; a short backoff shortens the ceilings, a long one lengthens nothing', () => {
    const of = (backoffS: number, stableS: number) => readLimits(() => restartLimits(backoffS, stableS))();
    expect(of(5, 600)).toEqual(DEFAULT_LIMITS);
    expect(of(0.2, 2)).toMatchObject({
      backoffFirstMs: 200,
      backoffCeilingMs: 12_000,
      coolDownFirstMs: 24_000,
      stableMs: 2000,
    });
    expect(of(60, 600)).toMatchObject({ backoffFirstMs: 60_000, backoffCeilingMs: 300_000 });
  });
});
