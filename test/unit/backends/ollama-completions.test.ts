import { describe, expect, test } from 'vitest';
import type { BackendRequest } from '../../../src/main/backends/backend';
import { type StepTimes, UNLEARNED } from '../../../src/main/backends/step-times';
import { Completions } from '../../../src/main/backends/watch/completions';
import type { Runner } from '../../../src/main/backends/watch/pulse';
import type { ServerCare } from '../../../src/main/backends/watch/server-care';
import { DEFAULT_STREAM_LIMITS, patientStreamLimits } from '../../../src/main/backends/watch/stream-limits';
import type { TandemError } from '../../../src/shared/errors';
import { FakeClock, settle } from '../../support/fake-clock';
import { DONE, ScriptedOllama, SILENCE, say, type Way } from '../../support/scripted-ollama';

const request = (more: Partial<BackendRequest> = {}): BackendRequest => ({
  id: 'r',
  model: 'm',
  messages: [{ role: 'user', content: 'hello' }],
  sampling: {},
  ...more,
});

/** State of the one model process: computing, stuck, or absent. */
type Process = 'computes' | 'still' | 'none' | 'unseen';

function scene(
  ways: Way[],
  process: Process = 'unseen',
  more: Partial<ServerCare> = {},
  steps?: StepTimes,
  patience = 1,
) {
  const clock = new FakeClock();
  const server = new ScriptedOllama(...ways);
  const state = { process, cpuMs: 0, heavy: false, loaded: false, silent: false };
  const done: string[] = [];
  const care: ServerCare = {
    heavy: () => state.heavy,
    async pulse() {
      if (state.process === 'unseen') return null;
      if (state.process === 'computes') state.cpuMs += 100;
      const runner: Runner = { pid: 10, startedAt: 'a', cpuMs: state.cpuMs };
      return state.process === 'none' ? [] : [runner];
    },
    isLoaded: async () => state.loaded,
    async restartSilent(again) {
      if (state.silent) done.push(again ? 'asked for more' : 'asked');
      return state.silent;
    },
    async cureStall(model, again) {
      done.push(again ? 'restarted' : `cured ${model}`);
      return { cured: state.process === 'still', processEnded: state.process === 'still' };
    },
    async makeRoom(model) {
      done.push(`room for ${model}`);
      return false;
    },
    fitting: () => null,
    promptCancelled: () => void done.push('prompt cancelled'),
    ...more,
  };
  const limits = {
    ...DEFAULT_STREAM_LIMITS,
    ...patientStreamLimits(patience),
    loadTimeoutMs: () => 20_000,
    prefillMs: () => 5000,
  };
  const completions = new Completions(clock, limits, () => {}, care, steps);
  const run = (asked = request(), signal = new AbortController().signal) => {
    const outcome = { texts: '', end: null as unknown, error: null as unknown };
    const running = (async () => {
      try {
        for await (const chunk of completions.run(server.api, asked, signal)) {
          if (chunk.type === 'text') outcome.texts += chunk.text;
          if (chunk.type === 'end') outcome.end = chunk.end;
        }
      } catch (error) {
        outcome.error = error;
      }
    })();
    return { outcome, running };
  };
  return { clock, server, state, done, completions, run };
}

describe('before the first token', () => {
  test('a foreign server that is silent for the time of load and prompt gets one retry, then fails', async () => {
    const { clock, server, run } = scene([SILENCE, SILENCE]);
    const { outcome } = run();
    await clock.advance(24_000);
    expect(server.asked).toHaveLength(1);
    await clock.advance(2000);
    expect(server.asked).toHaveLength(2);
    await clock.advance(26_000);
    expect(outcome.error).toMatchObject({ code: 'backend_failed', details: { cause: 'load-timeout' } });
    expect(clock.pending).toBe(0);
  });

  test('a lost load is abandoned, which repairs the server, and the second try answers', async () => {
    const { clock, server, done, run } = scene([SILENCE], 'none');
    const { outcome } = run();
    await clock.advance(13_000);
    expect(outcome).toMatchObject({ texts: 'hi', error: null });
    expect(server.asked).toHaveLength(2);
    expect(done).toEqual(['room for m']);
  });

  test('a stuck process is killed and the request retried once', async () => {
    const { clock, done, run } = scene([SILENCE], 'still');
    const { outcome } = run();
    await clock.advance(13_000);
    expect(done).toEqual(['cured m']);
    expect(outcome).toMatchObject({ texts: 'hi', error: null });
  });

  test('a second stall kills the server', async () => {
    const { clock, done, run } = scene([SILENCE, SILENCE], 'still');
    const { outcome } = run();
    await clock.advance(30_000);
    expect(done).toEqual(['cured m', 'restarted']);
    expect(outcome.error).toMatchObject({ details: { cause: 'stalled' } });
  });

  test('a heavy model may be silent for longer', async () => {
    const { clock, state, done, run } = scene([SILENCE], 'still');
    state.heavy = true;
    run();
    await clock.advance(24_000);
    expect(done).toEqual([]);
  });

  test('a process that computes is no hang, however long it takes', async () => {
    const { clock, server, run } = scene([SILENCE], 'computes');
    const leave = new AbortController();
    const { outcome, running } = run(request(), leave.signal);
    await clock.advance(600_000);
    expect(server.asked).toHaveLength(1);
    expect(outcome.error).toBeNull();
    leave.abort();
    await running;
    expect(outcome.error).toMatchObject({ code: 'cancelled' });
  });

  test('next to another request it waits for its turn, up to its own limit', async () => {
    const { clock, server, run } = scene([SILENCE, SILENCE], 'computes');
    run();
    await settle();
    const { outcome } = run();
    await clock.advance(280_000);
    expect(server.asked).toHaveLength(2);
    expect(outcome.error).toBeNull();
  });

  test('a foreign server with the model in memory gets the whole time of the request', async () => {
    const { clock, server, state, run } = scene([SILENCE]);
    state.loaded = true;
    const { outcome } = run(request({ timeoutMs: 300_000 }));
    await clock.advance(280_000);
    expect(server.asked).toHaveLength(1);
    expect(outcome.error).toBeNull();
  });

  test('after one lost load a foreign server gets the whole time of the request', async () => {
    const { clock, server, run } = scene([SILENCE, SILENCE]);
    const { outcome } = run(request({ timeoutMs: 300_000 }));
    await clock.advance(280_000);
    expect(server.asked).toHaveLength(2);
    expect(outcome.error).toBeNull();
  });

  test('learned step times of an answer apply to no load and no prompt', async () => {
    const learned: StepTimes = { slowestMs: () => 50, onStep: () => {} };
    const { clock, state, completions, done, run } = scene([SILENCE], 'still', {}, learned);
    state.heavy = true;
    expect(completions.hangLimits('m').stepMs).toBe(8000);
    run();
    await clock.advance(58_000);
    expect(done).toEqual([]);
    await clock.advance(6000);
    expect(done).toEqual(['cured m']);
  });

  test('a server that is itself silent is restarted, and the router gets a retryable error', async () => {
    for (const process of ['none', 'still', 'unseen'] as const) {
      const { clock, state, server, done, run } = scene([SILENCE], process);
      state.silent = true;
      const { outcome } = run();
      await clock.advance(26_000);
      expect(outcome.error).toMatchObject({ code: 'ollama_down' });
      expect((outcome.error as TandemError).details).toEqual({});
      expect(done).toEqual(['asked']);
      expect(server.asked).toHaveLength(1);
    }
  });

  test('a process that dies during a load is retried once, one that dies during the prompt is not', async () => {
    const died: Way = { status: 500, error: 'llama runner process has terminated with exit code -1' };
    const loading = scene([died]);
    expect((await ended(loading)).outcome).toMatchObject({ texts: 'hi', error: null });
    const twice = scene([died, died]);
    expect((await ended(twice)).outcome.error).toMatchObject({ details: { cause: 'load-died' } });
    const stopped = scene([
      { status: 500, error: 'model runner has unexpectedly stopped, this may be due to' },
    ]);
    expect((await ended(stopped)).outcome.error).toMatchObject({ details: { cause: 'runner-died' } });
    expect(stopped.server.asked).toHaveLength(1);
  });

  test('a cancelled prompt may still be computed; a cancelled answer is not', async () => {
    const early = scene([SILENCE]);
    const leave = new AbortController();
    const { running } = early.run(request(), leave.signal);
    await settle();
    leave.abort();
    await running;
    expect(early.done).toEqual(['prompt cancelled']);
    const late = scene([{ frames: [say('a')], last: 'silence' }]);
    const stop = new AbortController();
    const answer = late.run(request(), stop.signal);
    await settle();
    stop.abort();
    await answer.running;
    expect(late.done).toEqual([]);
  });
});

describe('between two tokens', () => {
  const half: Way = { frames: [say('a')], last: 'silence' };

  test('10 s of silence from a foreign server are a stall; a partial answer is not retried', async () => {
    const { clock, server, done, run } = scene([half]);
    const { outcome } = run();
    await clock.advance(9500);
    expect(outcome.error).toBeNull();
    await clock.advance(1000);
    expect(outcome).toMatchObject({ texts: 'a', error: { details: { cause: 'stalled' } } });
    expect(server.asked).toHaveLength(1);
    expect(done).toEqual(['cured m']);
  });

  test('if no process is visible, the learned step times prove no stall', async () => {
    const learned: StepTimes = { slowestMs: () => 50, onStep: () => {} };
    const { clock, state, run } = scene([half], 'unseen', {}, learned);
    state.heavy = true;
    const { outcome } = run();
    await clock.advance(58_000);
    expect(outcome.error).toBeNull();
    await clock.advance(4000);
    expect(outcome.error).toMatchObject({ details: { cause: 'stalled' } });
  });

  test('the learned limit applies to a stuck process', async () => {
    const learned: StepTimes = { slowestMs: () => 50, onStep: () => {} };
    const { clock, state, run } = scene([half], 'still', {}, learned);
    state.heavy = true;
    const { outcome } = run();
    await clock.advance(11_000);
    expect(outcome.error).toMatchObject({ details: { cause: 'stalled' } });
  });

  test('a server that falls silent itself is restarted; the partial answer fails with that cause', async () => {
    const { clock, state, done, run } = scene([half], 'still');
    state.silent = true;
    const { outcome } = run();
    await clock.advance(13_000);
    expect(outcome).toMatchObject({ texts: 'a', error: { code: 'ollama_down' } });
    expect(done).toEqual(['asked']);
  });

  test('silence of a computing process is a stall only after two minutes', async () => {
    const { clock, run } = scene([half], 'computes');
    const { outcome } = run();
    await clock.advance(115_000);
    expect(outcome.error).toBeNull();
    await clock.advance(10_000);
    expect(outcome.error).toMatchObject({ details: { cause: 'stalled' } });
  });

  test('a request with tools may be silent for longer, as a call arrives in one piece', async () => {
    const { clock, run } = scene([half]);
    const { outcome } = run(request({ tools: [{ name: 'f' }] }));
    await clock.advance(55_000);
    expect(outcome.error).toBeNull();
    await clock.advance(10_000);
    expect(outcome.error).toMatchObject({ details: { cause: 'stalled' } });
  });

  test('the limit follows the slowest learned step', async () => {
    const learned: StepTimes = { slowestMs: () => 6000, onStep: () => {} };
    const { clock, completions, run } = scene([half], 'unseen', {}, learned);
    expect(completions.hangLimits('m')).toEqual({ silenceMs: null, stepMs: 18_000, learned: true });
    const { outcome } = run();
    await clock.advance(17_000);
    expect(outcome.error).toBeNull();
    await clock.advance(2000);
    expect(outcome.error).toMatchObject({ details: { cause: 'stalled' } });
  });

  test('all limits of silence are longer on a machine that other programs keep busy', async () => {
    const learned: StepTimes = { slowestMs: () => 50, onStep: () => {} };
    for (const [steps, stepMs] of [
      [UNLEARNED, 30_000],
      [learned, 24_000],
    ] as const) {
      const { clock, completions, run } = scene([half], 'still', {}, steps, 3);
      expect(completions.hangLimits('m').stepMs).toBe(stepMs);
      const { outcome } = run();
      await clock.advance(stepMs - 2000);
      expect(outcome.error).toBeNull();
      await clock.advance(5000);
      expect(outcome.error).toMatchObject({ details: { cause: 'stalled' } });
    }
    const { clock, server, run } = scene([SILENCE], 'none', {}, UNLEARNED, 3);
    run();
    await clock.advance(14_000);
    expect(server.asked).toHaveLength(1);
    await clock.advance(5000);
    expect(server.asked).toHaveLength(2);
  });

  test('a broken connection, and an end without a last frame, are failures of the answer', async () => {
    const reset = await ended(scene([{ frames: [say('a')], last: 'reset' }]));
    expect(reset.outcome).toMatchObject({ texts: 'a', end: null, error: { code: 'backend_failed' } });
    const repeated = await ended(scene([{ frames: [say('ha')], last: 'end' }]));
    expect(repeated.outcome).toMatchObject({ end: null, error: { details: { cause: 'incomplete' } } });
    expect(repeated.done).toEqual([]);
  });
});

describe('a full queue', () => {
  const full: Way = {
    status: 503,
    error: 'server busy, please try again.  maximum pending requests exceeded',
  };

  test('is retried with growing delays until there is a place', async () => {
    const { clock, server, run } = scene([full, full, full]);
    const { outcome } = run();
    const asked: number[] = [];
    for (const ms of [0, 249, 1, 499, 1, 1000]) {
      await clock.advance(ms);
      asked.push(server.asked.length);
    }
    expect(asked).toEqual([1, 1, 2, 2, 3, 4]);
    expect(outcome).toMatchObject({ texts: 'hi', error: null });
  });

  test('ends with an error within the time of the request', async () => {
    const { clock, run } = scene(Array.from({ length: 20 }, () => full));
    const { outcome } = run(request({ timeoutMs: 10_000 }));
    await clock.advance(9000);
    expect(outcome.error).toMatchObject({ code: 'queue_full', retryAfterS: 10 });
  });

  test('is left at once on cancel', async () => {
    const { run, clock } = scene([full, full]);
    const leave = new AbortController();
    const { outcome, running } = run(request(), leave.signal);
    await settle();
    leave.abort();
    await running;
    expect(outcome.error).toMatchObject({ code: 'cancelled' });
    expect(clock.pending).toBe(0);
  });
});

describe('a load that memory does not allow', () => {
  const tooLarge: Way = {
    status: 500,
    error: 'model requires more system memory (5.3 GiB) than is available (4.4 GiB)',
  };

  test('is retried once memory was freed', async () => {
    const { server, ...rest } = scene([tooLarge], 'unseen', { makeRoom: async () => true });
    expect((await ended({ server, ...rest })).outcome).toMatchObject({ texts: 'hi', error: null });
    expect(server.asked).toHaveLength(2);
  });

  test('is rejected with the figures and a suggestion, when no memory can be freed', async () => {
    const asked: (number | null)[] = [];
    const fitting = (_model: string, freeBytes: number | null) => {
      asked.push(freeBytes);
      return 'phi3:mini';
    };
    const { outcome, server } = await ended(scene([tooLarge], 'unseen', { fitting }));
    expect(outcome.error).toMatchObject({
      code: 'memory_critical',
      retryAfterS: 30,
      message:
        'm does not fit into memory now. It needs 5.7 GB, and 4.7 GB are free. phi3:mini would fit; choose it, or close other programs and try again.',
      details: { cause: 'memory', fits: 'phi3:mini', neededBytes: 5_690_831_667 },
    });
    expect(asked).toEqual([4_724_464_026]);
    expect(server.asked).toHaveLength(1);
  });

  test('is rejected after the second try', async () => {
    const { outcome, server } = await ended(
      scene([tooLarge, tooLarge], 'unseen', { makeRoom: async () => true }),
    );
    expect(outcome.error).toMatchObject({ code: 'memory_critical', details: { fits: null } });
    expect(server.asked).toHaveLength(2);
  });

  test('in the middle of an answer is reported unchanged', async () => {
    const line = {
      error: 'an error was encountered while running the model: error: Insufficient Memory (00000008',
    };
    const { outcome } = await ended(scene([{ frames: [say('a'), line], last: 'end' }]));
    expect(outcome).toMatchObject({
      texts: 'a',
      error: { code: 'backend_failed', details: { cause: 'memory' } },
    });
  });
});

test('a whole answer, and nothing left behind', async () => {
  const steps: number[] = [];
  const learning: StepTimes = { slowestMs: () => null, onStep: (_model, ms) => void steps.push(ms) };
  const { clock, completions, run } = scene(
    [{ frames: [say('a'), say('b'), DONE], last: 'end' }],
    'still',
    {},
    learning,
  );
  const { outcome, running } = run();
  expect(completions.active).toBe(1);
  await running;
  expect(outcome).toMatchObject({ texts: 'ab', end: { reason: 'stop' }, error: null });
  expect(completions.active).toBe(0);
  expect(steps).toEqual([0]);
  expect(clock.pending).toBe(0);
});

async function ended<S extends Pick<ReturnType<typeof scene>, 'run'>>(made: S) {
  const { outcome, running } = made.run();
  await running;
  return { ...made, outcome };
}
