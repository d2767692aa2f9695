import { describe, expect, it } from 'vitest';
import { BackendRegistry } from '../../../src/main/backends/registry';
import { RequestDispatcher } from '../../../src/main/dispatch/dispatcher';
import { Fingerprints } from '../../../src/main/dispatch/suspects/fingerprints';
import { silentLogger } from '../../../src/main/ports/logger';
import { RequestQueue } from '../../../src/main/queue/request-queue';
import { decideByRules } from '../../../src/main/router/decide';
import { MeasuredTimes } from '../../../src/main/times/measured-times';
import { type CompletionRequest, textOf } from '../../../src/shared/completion';
import { TandemError } from '../../../src/shared/errors';
import type { ExitCause } from '../../../src/shared/incidents';
import { defaultSettings } from '../../../src/shared/settings';
import { routeBackend } from '../../support/backends';
import { FakeClock, settle } from '../../support/fake-clock';
import { MemoryFiles } from '../../support/memory-files';
import { model, ScriptedBackend, type Step, says } from '../../support/scripted-backend';

/** Requests that kill a server process, on two scripted backends. */

const MODELS = [model('mlx', 'phi3.5-mini-4k', 3.8), model('ollama', 'phi3.5:3.8b', 3.8)];
const KILLER = 'thanks';

interface Told {
  backend: string | null;
  reasons: string[];
  error: string | null;
}

function setUp(options: { only?: 'mlx' | 'ollama' } = {}) {
  const clock = new FakeClock();
  const mlx = new ScriptedBackend('mlx', clock);
  const ollama = new ScriptedBackend('ollama', clock);
  const settings = { ...defaultSettings(), rateLimitMax: 0 };
  const facts = ({ state, instance: { id } }: ScriptedBackend) =>
    routeBackend(id, { state, enabled: (options.only ?? id) === id });
  const dispatcher = new RequestDispatcher({
    decider: { limitMs: null, decide: decideByRules },
    queue: new RequestQueue({
      clock,
      slots: { mlx: 4, ollama: 4 },
      rateLimit: () => ({ max: 0, windowMs: 1 }),
    }),
    backends: new BackendRegistry([mlx, ollama]),
    snapshot: () => ({
      settings,
      backends: [facts(mlx), facts(ollama)],
      models: MODELS,
      memory: 'normal',
    }),
    refresh: async () => {},
    measured: new MeasuredTimes(),
    fingerprints: new Fingerprints({
      files: new MemoryFiles(),
      path: 'suspects.json',
      clock,
      logger: silentLogger,
    }),
    clock,
    logger: silentLogger,
    onFinished: () => {},
  });
  let count = 0;
  const abort = new AbortController();
  const ask = async (
    text: string,
    more: Partial<CompletionRequest> = {},
    signal = abort.signal,
  ): Promise<Told> => {
    const told: Told = { backend: null, reasons: [], error: null };
    const request: CompletionRequest = {
      id: `r${count++}`,
      messages: [{ role: 'user', content: text }],
      model: { kind: 'auto' },
      category: 'fast',
      priority: 'high',
      client: `client${count}`,
      sampling: {},
      strict: false,
      whole: true,
      origin: 'gateway',
      ...more,
    };
    try {
      for await (const event of dispatcher.dispatch(request, signal)) {
        if (event.type === 'end') Object.assign(told, { backend: event.backend, reasons: event.reasons });
      }
    } catch (error) {
      told.error = (error as TandemError).code;
    }
    return told;
  };
  /** Each backend dies during the killer and is up again a moment later. */
  const deadly = (backend: ScriptedBackend, cause: ExitCause) => {
    backend.script = [
      ({ messages }): Step[] => (messages[0]?.content === KILLER ? [{ type: 'die', cause }] : says('fine')),
    ];
    backend.onStatus(({ state }) => {
      if (state === 'backoff') clock.after(1500, () => (backend.state = 'ready'));
    });
  };
  return { clock, mlx, ollama, ask, deadly };
}

/** All requests on a process that dies lose their stream at the same moment. */
function losesAll(backend: ScriptedBackend): void {
  const stream = backend.stream.bind(backend);
  backend.stream = async function* (request, signal) {
    const broken = Promise.withResolvers<never>();
    broken.promise.catch(() => {});
    const forget = backend.onStatus(({ state }) => {
      if (state === 'backoff') broken.reject(new TandemError('backend_failed', 'The connection broke.'));
    });
    const chunks = stream(request, signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await Promise.race([chunks.next(), broken.promise]);
        if (next.done) return;
        yield next.value;
      }
    } finally {
      forget();
      void chunks.return?.(undefined);
    }
  };
}

describe('a request during which a process dies', () => {
  it('is answered by the other backend, and never again sent to the one that died', async () => {
    const { clock, mlx, ollama, ask, deadly } = setUp();
    deadly(mlx, 'unknown');
    expect(await ask(KILLER)).toMatchObject({ backend: 'ollama', error: null });
    await clock.advance(2000);
    const again = await ask(KILLER);
    expect(again).toMatchObject({ backend: 'ollama', error: null });
    expect(again.reasons).toContain('fallback:mlx-poison');
    await ask(KILLER, { model: { kind: 'backend', backend: 'mlx' } });
    expect([mlx.deaths, mlx.requests.length, ollama.requests.length]).toEqual([1, 1, 3]);
    expect(await ask('hello')).toMatchObject({ backend: 'mlx' });
  });

  it('costs at most two processes over all clients, then gets an error that explains it', async () => {
    const { clock, mlx, ollama, ask, deadly } = setUp();
    deadly(mlx, 'out_of_memory');
    deadly(ollama, 'unknown');
    expect(await ask(KILLER)).toMatchObject({ error: 'poison' });
    await clock.advance(2000);
    for (const more of [{}, { model: { kind: 'backend', backend: 'ollama' } }, { strict: true }] as const) {
      expect(await ask(KILLER, more)).toMatchObject({ error: 'poison' });
    }
    expect([mlx.deaths, ollama.deaths]).toEqual([1, 1]);
    expect(await ask('hello')).toMatchObject({ error: null });
  });

  it('sent by three clients at once costs no more', async () => {
    const { clock, mlx, ollama, ask, deadly } = setUp();
    deadly(mlx, 'generation_dead');
    deadly(ollama, 'generation_dead');
    const told = Promise.all([ask(KILLER), ask(KILLER), ask(KILLER)]);
    await clock.advance(5000);
    expect((await told).map(({ error }) => error)).toEqual(['poison', 'poison', 'poison']);
    expect(mlx.deaths + ollama.deaths).toBe(2);
  });

  it.each(['killed', 'killed_by_os', 'parent_gone'] as const)('%s is not held against it', async (cause) => {
    const { clock, mlx, ask, deadly } = setUp();
    deadly(mlx, cause);
    for (let turn = 1; turn <= 3; turn += 1) {
      expect(await ask(KILLER)).toMatchObject({ backend: 'ollama', error: null });
      expect(mlx.deaths).toBe(turn);
      await clock.advance(2000);
    }
  });

  it('during a hang because the process was paused is not held against it', async () => {
    const { mlx, ask } = setUp();
    mlx.script = [() => [{ type: 'die', cause: 'stalled', outside: true }], () => says('fine')];
    expect(await ask('hello')).toMatchObject({ backend: 'ollama' });
    mlx.state = 'ready';
    expect(await ask('hello')).toMatchObject({ backend: 'mlx' });
  });

  it('is free again when it is answered after all', async () => {
    const { mlx, ask } = setUp({ only: 'mlx' });
    mlx.script = [() => [{ type: 'die', cause: 'unknown' }], () => says('fine')];
    const told = ask(KILLER);
    await settle();
    mlx.state = 'ready';
    expect(await told).toMatchObject({ backend: 'mlx', error: null });
    mlx.script = [() => [{ type: 'die', cause: 'unknown' }], () => says('fine')];
    const again = ask(KILLER);
    await settle();
    mlx.state = 'ready';
    expect(await again).toMatchObject({ backend: 'mlx', error: null });
  });

  it('without another backend gets one more try', async () => {
    const { clock, mlx, ask, deadly } = setUp({ only: 'mlx' });
    deadly(mlx, 'unknown');
    const told = ask(KILLER);
    await clock.advance(2000);
    expect(await told).toMatchObject({ error: 'poison' });
    await clock.advance(2000);
    expect(await ask(KILLER)).toMatchObject({ error: 'poison' });
    expect(mlx.deaths).toBe(2);
  });

  it('does not harm an innocent one that was computed at the same time', async () => {
    for (const order of [
      [KILLER, 'hello'],
      ['hello', KILLER],
    ]) {
      const { clock, ollama, ask } = setUp({ only: 'ollama' });
      ollama.script = [
        ({ messages }): Step[] => [
          { type: 'pause', ms: 1000 },
          ...(messages[0]?.content === KILLER ? [{ type: 'die', cause: 'unknown' } as const] : says('fine')),
        ],
      ];
      losesAll(ollama);
      ollama.onStatus(({ state }) => {
        if (state === 'backoff') clock.after(1500, () => (ollama.state = 'ready'));
      });
      const told = Promise.all(order.map((text) => ask(text)));
      await clock.advance(20_000);
      const errors = Object.fromEntries((await told).map(({ error }, index) => [order[index], error]));
      expect(errors).toEqual({ [KILLER]: 'poison', hello: null });
      expect(await ask(KILLER)).toMatchObject({ error: 'poison' });
      const again = ask('hello');
      await clock.advance(1000);
      expect(await again).toMatchObject({ error: null });
      expect(ollama.deaths).toBe(2);
    }
  });

  it('is remembered although its client had disconnected', async () => {
    const { clock, mlx, ollama, ask } = setUp();
    mlx.holdDrains();
    mlx.script = [() => [{ type: 'hang' }]];
    const left = new AbortController();
    const told = ask(KILLER, {}, left.signal);
    await settle();
    left.abort();
    expect(await told).toMatchObject({ error: 'cancelled' });
    mlx.die('generation_dead');
    mlx.finishDrains();
    await clock.advance(2000);
    mlx.state = 'ready';
    expect(await ask(KILLER)).toMatchObject({ backend: 'ollama' });
    expect([mlx.requests.length, ollama.requests.length]).toEqual([1, 1]);
  });

  it('counts where only a model process below a living server has exited', async () => {
    const { ollama, mlx, ask } = setUp();
    const error = new TandemError('backend_failed', 'stopped', { details: { cause: 'runner-died' } });
    ollama.script = [() => [{ type: 'fail', error }]];
    const heavy = { model: { kind: 'backend', backend: 'ollama' } } as const;
    expect(await ask(KILLER, heavy)).toMatchObject({ backend: 'mlx' });
    expect(await ask(KILLER, heavy)).toMatchObject({ backend: 'mlx' });
    expect([ollama.requests.length, mlx.requests.length]).toEqual([1, 2]);
  });

  it.each([true, false])('counts a stall only where it cost a process (%s)', async (processEnded) => {
    const { ollama, mlx, ask } = setUp();
    const details = { cause: 'stalled', processEnded };
    ollama.script = [
      () => [{ type: 'fail', error: new TandemError('backend_failed', 'silent', { details }) }],
      () => says('fine'),
    ];
    const heavy = { model: { kind: 'backend', backend: 'ollama' } } as const;
    expect(await ask(KILLER, heavy)).toMatchObject({ backend: 'mlx' });
    expect(await ask(KILLER, heavy)).toMatchObject({ backend: processEnded ? 'mlx' : 'ollama' });
    expect([mlx.requests.length, ollama.requests.length]).toEqual(processEnded ? [2, 1] : [1, 2]);
  });

  it('is cleared once it was answered: it is not blamed for a later death', async () => {
    const { mlx, ask } = setUp();
    await ask('hello');
    mlx.die('unknown');
    mlx.state = 'ready';
    expect(await ask('hello')).toMatchObject({ backend: 'mlx', reasons: ['explicit:category'] });
  });
});

describe('suspects', () => {
  /**
   * MLX died during these requests and stays down. On Ollama they take `takesMs` each, the killer ends it after 5 s, and all
   * other requests take no time.
   */
  async function suspected(
    texts: readonly string[],
    { takesMs = 10_000, signal }: { takesMs?: number; signal?: AbortSignal } = {},
  ) {
    const world = setUp();
    const { clock, mlx, ollama, ask } = world;
    mlx.script = [() => [{ type: 'hang' }]];
    ollama.script = [
      ({ messages: [message] }): Step[] => {
        if (message?.content === KILLER)
          return [
            { type: 'pause', ms: 5000 },
            { type: 'die', cause: 'unknown' },
          ];
        const ms = message && textOf(message).startsWith('suspect') ? takesMs : 0;
        return [{ type: 'pause', ms }, ...says('fine')];
      },
    ];
    ollama.onStatus(({ state }) => {
      if (state === 'backoff') clock.after(1500, () => (ollama.state = 'ready'));
    });
    for (const backend of [mlx, ollama]) losesAll(backend);
    const answers = texts.map((text) => ask(text, {}, signal));
    await settle();
    mlx.die('unknown');
    mlx.state = 'open';
    await settle();
    const sent = () => ollama.requests.map(({ messages }) => messages.slice(0, 1).map(textOf).join(''));
    return { ...world, answers, sent };
  }

  const FOUR = ['suspect a', 'suspect b', 'suspect c', 'suspect d'];

  it('are computed one after the other, and block no slot meanwhile', async () => {
    const { clock, ollama, ask, answers, sent } = await suspected(FOUR);
    expect(sent()).toEqual(['suspect a']);
    for (const text of ['one', 'two', 'three']) {
      const told = ask(text, { priority: 'low' });
      await clock.advance(0);
      expect(await told).toMatchObject({ backend: 'ollama', error: null });
    }
    await clock.advance(40_000);
    for (const answer of answers) expect(await answer).toMatchObject({ backend: 'ollama', error: null });
    expect(sent().filter((text) => text.startsWith('suspect'))).toEqual(FOUR);
    expect(ollama.mostRunning).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('wait for their turn no longer than their time limit', async () => {
    const { clock, answers, sent } = await suspected(FOUR.slice(0, 2), { takesMs: 1e6 });
    await clock.advance(300_000);
    expect(await answers[1]).toMatchObject({ error: 'queue_timeout' });
    expect(await answers[0]).toMatchObject({ error: 'timeout' });
    expect(sent()).toEqual(['suspect a']);
  });

  it('leave the queue with their client', async () => {
    const { clock, ask, answers, sent } = await suspected(FOUR.slice(0, 2));
    const left = new AbortController();
    const told = ask('suspect b', {}, left.signal);
    await settle();
    left.abort();
    expect(await told).toMatchObject({ error: 'cancelled' });
    await clock.advance(20_000);
    for (const answer of answers) expect(await answer).toMatchObject({ error: null });
    expect(sent()).toEqual(['suspect a', 'suspect b']);
    expect(clock.pending).toBe(0);
  });

  it('are computed together if they have been answered since', async () => {
    const { clock, ollama, ask, answers } = await suspected(FOUR);
    await clock.advance(40_000);
    await Promise.all(answers);
    const again = FOUR.map((text) => ask(text));
    await clock.advance(10_000);
    for (const answer of again) expect(await answer).toMatchObject({ backend: 'ollama', error: null });
    expect(ollama.mostRunning).toBe(4);
  });

  it('do not wait forever behind another suspect', async () => {
    const { clock, ask, answers, sent } = await suspected(FOUR.slice(0, 2));
    for (let second = 0; second < 20; second += 4) {
      answers.push(ask('suspect a'));
      await clock.advance(4000);
    }
    expect(await answers[1]).toMatchObject({ backend: 'ollama', error: null });
    expect(sent().slice(0, 2)).toEqual(['suspect a', 'suspect b']);
    await clock.advance(20_000);
    for (const answer of answers) expect(await answer).toMatchObject({ error: null });
  });

  it('cost at most two processes if one of them is the killer, and the others are answered', async () => {
    for (const order of [
      ['suspect a', KILLER],
      [KILLER, 'suspect a'],
    ]) {
      const { clock, mlx, ollama, ask, answers } = await suspected(order);
      await clock.advance(12_000);
      // The innocent request, answered or not, arrives again while the killer is not yet known on every backend.
      const again = ask('suspect a');
      await clock.advance(30_000);
      const errors = (await Promise.all(answers)).map(({ error }, index) => [order[index], error]);
      expect(Object.fromEntries(errors)).toEqual({ [KILLER]: 'poison', 'suspect a': null });
      expect(await again).toMatchObject({ backend: 'ollama', error: null });
      expect(await ask(KILLER)).toMatchObject({ error: 'poison' });
      expect([mlx.deaths, ollama.deaths]).toEqual([1, 1]);
    }
  });

  it('do not start next to one that has been answered since: their own guilt is unknown', async () => {
    const left = new AbortController();
    const { clock, ollama, ask, answers } = await suspected(['suspect a', KILLER], { signal: left.signal });
    left.abort();
    expect((await Promise.all(answers)).map(({ error }) => error)).toEqual(['cancelled', 'cancelled']);
    const first = ask('suspect a');
    await clock.advance(10_000);
    expect(await first).toMatchObject({ backend: 'ollama', error: null });
    const again = ask('suspect a');
    await clock.advance(1000);
    const killer = ask(KILLER);
    await clock.advance(20_000);
    expect(await again).toMatchObject({ backend: 'ollama', error: null });
    expect(await killer).toMatchObject({ error: 'poison' });
    expect(ollama.deaths).toBe(1);
  });
});

describe('replays', () => {
  /** The budget is used up, and the next request loses its process. */
  async function spent() {
    const world = setUp();
    const { mlx, ollama, ask } = world;
    for (let turn = 0; turn < 24; turn += 1) {
      mlx.script = [() => [{ type: 'die', cause: 'killed' }], () => says('fine')];
      expect(await ask('hello')).toMatchObject({ backend: 'ollama' });
      mlx.state = 'ready';
    }
    const replayed = ollama.requests.length;
    mlx.script = [() => [{ type: 'die', cause: 'killed' }], () => says('fine')];
    const told = ask('hello');
    await settle();
    expect(ollama.requests).toHaveLength(replayed);
    return { ...world, told };
  }

  it('above their budget wait for their own backend', async () => {
    const { clock, mlx, told } = await spent();
    await clock.advance(100);
    mlx.state = 'ready';
    expect(await told).toMatchObject({ backend: 'mlx', error: null });
    expect(clock.pending).toBe(0);
  });

  it('wait no longer for it than for the budget', async () => {
    const { clock, mlx, told } = await spent();
    mlx.state = 'starting';
    await clock.advance(2000);
    expect(await told).toMatchObject({ backend: 'ollama', error: null });
    expect(clock.pending).toBe(0);
  });

  it.each(['backoff', 'open'] as const)('use the budget if their own backend stays %s', async (state) => {
    const { clock, mlx, told } = await spent();
    mlx.state = state;
    await clock.advance(2000);
    expect(await told).toMatchObject({ backend: 'ollama', error: null });
  });
});
