import { describe, expect, it } from 'vitest';
import { BackendRegistry } from '../../../src/main/backends/registry';
import { silentLogger } from '../../../src/main/ports/logger';
import { RequestQueue } from '../../../src/main/queue/request-queue';
import { RequestDispatcher } from '../../../src/main/router/dispatcher';
import { Fingerprints } from '../../../src/main/router/fingerprints';
import { MeasuredTimes } from '../../../src/main/router/measured-times';
import type { CompletionRequest } from '../../../src/shared/domain';
import { TandemError } from '../../../src/shared/errors';
import type { ExitCause } from '../../../src/shared/incidents';
import { defaultSettings } from '../../../src/shared/settings';
import { FakeClock, settle } from '../../support/fake-clock';
import { MemoryFiles } from '../../support/memory-files';
import { model, ScriptedBackend, type Step, says } from '../../support/scripted-backend';

/** Requests under which a server process dies, on two scripted backends. */

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
  const facts = (backend: ScriptedBackend) => ({
    state: backend.state,
    enabled: (options.only ?? backend.id) === backend.id,
    settingUp: false,
    capabilities: backend.capabilities,
  });
  const dispatcher = new RequestDispatcher({
    queue: new RequestQueue({
      clock,
      slots: { mlx: 4, ollama: 4 },
      rateLimit: () => ({ max: 0, windowMs: 1 }),
    }),
    backends: new BackendRegistry([mlx, ollama]),
    snapshot: () => ({
      settings,
      backends: { mlx: facts(mlx), ollama: facts(ollama) },
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
  /** Each backend dies under the killer and is up again a moment later. */
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

describe('a request under which a process dies', () => {
  it('is answered by the other one, and never again sent to the one it killed', async () => {
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

  it('costs at most two processes over all clients, then gets an error that says so', async () => {
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

  it('that hung because somebody had paused it is not held against it', async () => {
    const { mlx, ask } = setUp();
    mlx.script = [() => [{ type: 'die', cause: 'stalled', outside: true }], () => says('fine')];
    expect(await ask('hello')).toMatchObject({ backend: 'ollama' });
    mlx.state = 'ready';
    expect(await ask('hello')).toMatchObject({ backend: 'mlx' });
  });

  it('is free again where it is answered after all', async () => {
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

  it('with nobody else to ask gets one more go', async () => {
    const { clock, mlx, ask, deadly } = setUp({ only: 'mlx' });
    deadly(mlx, 'unknown');
    const told = ask(KILLER);
    await clock.advance(2000);
    expect(await told).toMatchObject({ error: 'poison' });
    await clock.advance(2000);
    expect(await ask(KILLER)).toMatchObject({ error: 'poison' });
    expect(mlx.deaths).toBe(2);
  });

  it('takes no innocent one with it that was computed beside it', async () => {
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
      // Who was beside the killer loses its stream in the same moment.
      const stream = ollama.stream.bind(ollama);
      ollama.stream = async function* (request, signal) {
        const ended = new AbortController();
        const forget = ollama.onStatus(({ state }) => state === 'backoff' && ended.abort());
        try {
          yield* stream(request, AbortSignal.any([signal, ended.signal]));
        } finally {
          forget();
        }
      };
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

  it('is known although its client had left', async () => {
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

  it('counts where only a model process below a living server has ended', async () => {
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

  it('is let go once it has been answered: a later death is not its own', async () => {
    const { mlx, ask } = setUp();
    await ask('hello');
    mlx.die('unknown');
    mlx.state = 'ready';
    expect(await ask('hello')).toMatchObject({ backend: 'mlx', reasons: ['explicit:category'] });
  });
});

describe('replays', () => {
  /** The budget is spent, and the one request that comes now loses its process. */
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

  it('beyond their budget wait for their own backend', async () => {
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

  it.each(['backoff', 'open'] as const)('are paid for where their own backend stays %s', async (state) => {
    const { clock, mlx, told } = await spent();
    mlx.state = state;
    await clock.advance(2000);
    expect(await told).toMatchObject({ backend: 'ollama', error: null });
  });
});
