import { describe, expect, it } from 'vitest';
import { BackendRegistry } from '../../../src/main/backends/registry';
import { RequestDispatcher } from '../../../src/main/dispatch/dispatcher';
import type { MemoryAuthority } from '../../../src/main/dispatch/memory-permit';
import { Fingerprints } from '../../../src/main/dispatch/suspects/fingerprints';
import type { DispatchEvent } from '../../../src/main/dispatch/types';
import { silentLogger } from '../../../src/main/ports/logger';
import { RequestQueue } from '../../../src/main/queue/request-queue';
import { decideByRules } from '../../../src/main/router/decide';
import type { Decider, RouteSnapshot } from '../../../src/main/router/types';
import { MeasuredTimes } from '../../../src/main/times/measured-times';
import type { CompletionRequest } from '../../../src/shared/completion';
import type { ModelInfo } from '../../../src/shared/domain';
import { TandemError } from '../../../src/shared/errors';
import type { JournalRow } from '../../../src/shared/journal';
import { defaultSettings, type Settings } from '../../../src/shared/settings';
import { routeBackend } from '../../support/backends';
import { FakeClock, settle } from '../../support/fake-clock';
import { MemoryFiles } from '../../support/memory-files';
import { END, model, ScriptedBackend, type Step, says } from '../../support/scripted-backend';

const MODELS: ModelInfo[] = [
  model('mlx', 'phi3.5-mini-4k', 3.8, { contextLength: 4096 }),
  model('ollama', 'qwen2.5-coder:32b', 32),
  model('ollama', 'phi3.5:3.8b', 3.8),
];
const GENERAL = 'Write me a few lines about autumn in the mountains';
const CODE = 'Write a Python function that reverses a list';

function setUp(
  options: {
    models?: ModelInfo[];
    settings?: Partial<Settings>;
    decider?: Decider;
    refresh?: (missed: string) => Promise<void>;
    maxDepth?: number;
    memory?: MemoryAuthority;
  } = {},
) {
  const clock = new FakeClock();
  const mlx = new ScriptedBackend('mlx', clock);
  const ollama = new ScriptedBackend('ollama', clock);
  const settings: Settings = { ...defaultSettings(), rateLimitMax: 0, ...options.settings };
  const queue = new RequestQueue({
    clock,
    slots: { mlx: 1, ollama: 1 },
    rateLimit: () => ({ max: settings.rateLimitMax, windowMs: settings.rateLimitWindowS * 1000 }),
    maxDepth: options.maxDepth,
  });
  const records: JournalRow[] = [];
  const snapshot = (): RouteSnapshot => ({
    settings,
    backends: [routeBackend('mlx', { state: mlx.state }), routeBackend('ollama', { state: ollama.state })],
    models: options.models ?? MODELS,
    memory: 'normal',
  });
  const dispatcher = new RequestDispatcher({
    queue,
    backends: new BackendRegistry([mlx, ollama]),
    decider: options.decider ?? { limitMs: null, decide: decideByRules },
    snapshot,
    refresh: options.refresh ?? (async () => {}),
    measured: new MeasuredTimes(),
    fingerprints: new Fingerprints({
      files: new MemoryFiles(),
      path: 'suspects.json',
      clock,
      logger: silentLogger,
    }),
    memory: options.memory,
    clock,
    logger: silentLogger,
    onFinished: (record) => void records.push(record),
  });
  let count = 0;
  const request = (text: string, more: Partial<CompletionRequest> = {}): CompletionRequest => ({
    id: `r${count++}`,
    messages: [{ role: 'user', content: text }],
    model: { kind: 'auto' },
    priority: 'high',
    client: 'ui',
    sampling: {},
    strict: false,
    origin: 'chat',
    ...more,
  });
  const send = (text: string, more: Partial<CompletionRequest> = {}) => {
    const abort = new AbortController();
    const answer = new Answer();
    const finished = answer.follow(dispatcher.dispatch(request(text, more), abort.signal));
    return { answer, abort, finished };
  };
  return { clock, mlx, ollama, queue, records, dispatcher, request, send };
}

/** A client's view of one request. */
class Answer {
  readonly events: DispatchEvent[] = [];
  error: TandemError | null = null;

  async follow(events: AsyncGenerator<DispatchEvent>): Promise<this> {
    try {
      for await (const event of events) this.events.push(event);
    } catch (error) {
      this.error = error as TandemError;
    }
    return this;
  }

  get text(): string {
    return this.events
      .map((event) => (event.type === 'text' ? event.text : event.type === 'break' ? '|' : ''))
      .join('');
  }

  get kinds(): string[] {
    return this.events.map((event) => event.type);
  }

  /** Backend, model and reasons from the last frame. */
  get end() {
    return this.events.find((event) => event.type === 'end') ?? null;
  }
}

const dies =
  (...before: Step[]): (() => Step[]) =>
  () => [
    ...before,
    { type: 'fail', error: new TandemError('backend_failed', 'gone', { details: { cause: 'exited' } }) },
  ];

describe('RequestDispatcher', () => {
  it('reports all stages of a request, and one record of it', async () => {
    const { mlx, send, records, queue } = setUp();
    mlx.script = [() => says('Hello', ' there')];
    const { finished } = send('hello');
    const answer = await finished;
    expect(answer.kinds).toEqual(['routed', 'attempt', 'started', 'text', 'text', 'end']);
    expect(answer.end).toMatchObject({ backend: 'mlx', model: 'phi3.5-mini-4k', reasons: ['rule:greeting'] });
    expect(records).toEqual([
      expect.objectContaining({
        id: 'r0',
        outcome: 'done',
        category: 'greeting',
        backend: 'mlx',
        queueMs: 0,
        promptTokens: 3,
        completionTokens: 20,
        replays: 0,
      }),
    ]);
    expect(queue.stats()).toMatchObject({
      received: 1,
      accepted: 1,
      done: 1,
      running: 0,
      depth: 0,
      replaying: 0,
    });
  });

  it('replays on the next backend when the first fails before its first byte', async () => {
    const { mlx, send, records } = setUp();
    mlx.script = [dies({ type: 'prefill', done: 1, total: 2 })];
    const answer = await send('hello').finished;
    expect(answer.error).toBeNull();
    expect(answer.text).toBe('fine');
    expect(answer.end).toMatchObject({
      backend: 'ollama',
      reasons: ['rule:greeting', 'fallback:mlx-exited'],
    });
    expect(records).toMatchObject([{ outcome: 'done', backend: 'ollama', replays: 1 }]);
  });

  it('counts no replay of a request that never reached a server', async () => {
    const { mlx, send, records } = setUp();
    mlx.ensureReady = () => Promise.reject(new TandemError('mlx_down', 'gone'));
    const answer = await send('hello').finished;
    expect(answer.end).toMatchObject({ backend: 'ollama', reasons: ['rule:greeting', 'fallback:mlx-down'] });
    expect(records).toMatchObject([{ outcome: 'done', backend: 'ollama', replays: 0 }]);
  });

  it('occupies no slot while it waits for memory', async () => {
    const free = Promise.withResolvers<void>();
    const released: string[] = [];
    const { mlx, send } = setUp({
      models: [MODELS[0] as ModelInfo, model('mlx', 'large', 3)],
      memory: {
        async admit(asked, _signal, onWait) {
          const grant = { reasons: [], release: () => void released.push(asked.model) };
          if (asked.model !== 'large') return grant;
          onWait();
          await free.promise;
          return grant;
        },
      },
    });
    const large = send('hello', { model: { kind: 'named', name: 'large' } });
    await settle();
    const small = await send('hello', { model: { kind: 'named', name: 'phi3.5-mini-4k' } }).finished;
    expect(small.text).toBe('fine');
    expect(large.answer.kinds).not.toContain('attempt');
    free.resolve();
    expect((await large.finished).end).toMatchObject({ model: 'large' });
    expect(mlx.requests.map((request) => request.model)).toEqual(['phi3.5-mini-4k', 'large']);
    expect(released).toEqual(['phi3.5-mini-4k', 'large']);
  });

  it('treats a stream that just ends as a failure', async () => {
    const { ollama, send } = setUp();
    ollama.script = [() => [{ type: 'cut' }]];
    const answer = await send(GENERAL).finished;
    expect(answer.end).toMatchObject({
      backend: 'mlx',
      reasons: ['rule:default', 'fallback:ollama-incomplete'],
    });
  });

  it('keeps the text that arrived in the chat, marks the break and lets the next backend answer', async () => {
    const { mlx, ollama, send } = setUp();
    mlx.script = [dies({ type: 'text', text: 'Good mor' })];
    ollama.script = [() => says('Good morning!')];
    const answer = await send('hello').finished;
    expect(answer.text).toBe('Good mor|Good morning!');
    expect(answer.events.find((event) => event.type === 'break')).toEqual({
      type: 'break',
      from: 'mlx',
      to: 'ollama',
      reason: 'mlx-exited',
    });
    expect(answer.end).toMatchObject({
      backend: 'ollama',
      reasons: ['rule:greeting', 'fallback:mlx-exited'],
    });
  });

  it('ends a broken stream of an API client with an error, never as if it were complete', async () => {
    const { mlx, ollama, send, records } = setUp();
    mlx.script = [dies({ type: 'text', text: 'Good mor' })];
    const answer = await send('hello', { origin: 'gateway' }).finished;
    expect(answer.text).toBe('Good mor');
    expect(answer.end).toBeNull();
    expect(answer.error).toMatchObject({ code: 'backend_failed', details: { backend: 'mlx' } });
    expect(ollama.requests).toHaveLength(0);
    expect(records).toMatchObject([{ outcome: 'failed', code: 'backend_failed' }]);
  });

  it('restarts an answer that is not streamed', async () => {
    const { mlx, ollama, send, records } = setUp();
    mlx.script = [dies({ type: 'text', text: 'Good mor' })];
    ollama.script = [() => says('Hi!')];
    const answer = await send('hello', { origin: 'gateway', whole: true }).finished;
    expect(answer.error).toBeNull();
    expect(answer.kinds).toEqual([
      'routed',
      'attempt',
      'started',
      'text',
      'recovering',
      'attempt',
      'started',
      'text',
      'end',
    ]);
    expect(answer.end).toMatchObject({
      backend: 'ollama',
      reasons: ['rule:greeting', 'fallback:mlx-exited'],
    });
    expect(records).toMatchObject([{ outcome: 'done', replays: 1 }]);
  });

  it('gives the only backend one more try when it is back', async () => {
    const { clock, ollama, send } = setUp();
    ollama.script = [
      () => {
        ollama.state = 'backoff';
        return dies()();
      },
      () => says('def reverse(list): ...'),
    ];
    const { finished } = send(CODE);
    await clock.advance(5000);
    ollama.state = 'ready';
    const answer = await finished;
    expect(answer.text).toBe('def reverse(list): ...');
    expect(answer.end).toMatchObject({ backend: 'ollama' });
    expect(ollama.requests).toHaveLength(2);
  });

  it('reports at once that the only backend died during the answer, and what the request waits for', async () => {
    const { ollama, send } = setUp();
    ollama.script = [
      () => [
        { type: 'text', text: 'def rev' },
        { type: 'die', cause: 'killed' },
      ],
      () => says('def reverse(list): ...'),
    ];
    const { answer, finished } = send(CODE);
    await settle();
    const died = { backend: 'ollama', cause: 'killed' };
    expect(answer.events.at(-1)).toEqual({ type: 'recovering', failed: died, awaited: ['ollama'] });
    ollama.state = 'ready';
    await finished;
    expect(answer.kinds.slice(3)).toEqual([
      'text',
      'recovering',
      'break',
      'attempt',
      'started',
      'text',
      'end',
    ]);
  });

  it('reports at once who failed before the first word, while the next backend is busy', async () => {
    const { mlx, ollama, send } = setUp();
    ollama.script = [() => [{ type: 'hang' }]];
    const before = send(GENERAL);
    await settle();
    mlx.script = [dies()];
    const { answer, abort, finished } = send('hello');
    await settle();
    expect(answer.kinds).toEqual(['routed', 'attempt', 'recovering', 'waiting']);
    expect(answer.events[2]).toMatchObject({ failed: { backend: 'mlx', cause: 'exited' }, awaited: [] });
    abort.abort();
    before.abort.abort();
    await Promise.all([finished, before.finished]);
  });

  it('waits for Ollama with code, and responds 503 on timeout', async () => {
    const { clock, ollama, mlx, send, queue } = setUp();
    ollama.state = 'starting';
    const { answer, finished } = send(CODE);
    await clock.advance(299_000);
    expect(answer.error).toBeNull();
    await clock.advance(2000);
    await finished;
    expect(answer.error).toMatchObject({ code: 'ollama_down', retryAfterS: 5 });
    expect(mlx.requests).toHaveLength(0);
    expect(queue.stats()).toMatchObject({ failed: 1, depth: 0, running: 0 });
  });

  it('with both down, is answered by the first one that is up', async () => {
    const { clock, mlx, ollama, send } = setUp();
    mlx.state = 'starting';
    ollama.state = 'backoff';
    const { answer, finished } = send('hello');
    await clock.advance(5000);
    expect(answer.events.slice(1)).toEqual([
      { type: 'recovering', failed: null, awaited: ['mlx', 'ollama'] },
    ]);
    ollama.state = 'ready';
    await finished;
    expect(answer.end).toMatchObject({ backend: 'ollama', reasons: ['rule:greeting', 'fallback:mlx-down'] });
    expect(clock.pending).toBe(0);
  });

  it('with both down, waits on when one of them gives up', async () => {
    const { clock, mlx, ollama, send } = setUp();
    mlx.state = 'open';
    ollama.state = 'starting';
    const { finished } = send('hello');
    await clock.advance(5000);
    ollama.state = 'ready';
    expect((await finished).end).toMatchObject({
      backend: 'ollama',
      reasons: ['rule:greeting', 'fallback:mlx-down', 'breaker:open'],
    });
  });

  it('with both down permanently, fails after one wait, not one for each', async () => {
    const { clock, mlx, ollama, send, queue } = setUp();
    mlx.state = 'starting';
    ollama.state = 'starting';
    const { answer, finished } = send('hello');
    await clock.advance(301_000);
    await finished;
    expect(answer.error).toMatchObject({ code: 'mlx_down' });
    expect(queue.stats()).toMatchObject({ failed: 1, depth: 0, running: 0 });
    expect(clock.pending).toBe(0);
  });

  it('with both killed by the request, goes to the first one that is back', async () => {
    for (const back of ['mlx', 'ollama'] as const) {
      const { clock, mlx, ollama, send } = setUp();
      for (const backend of [mlx, ollama]) {
        backend.script = [() => [{ type: 'die', cause: 'killed' }], () => says('fine')];
      }
      const { answer, finished } = send('hello');
      await clock.advance(5000);
      (back === 'mlx' ? mlx : ollama).state = 'ready';
      await finished;
      expect(answer.end).toMatchObject({ backend: back });
    }
  });

  it('that queued while both died occupies no slot of one when the other is back', async () => {
    const { clock, mlx, ollama, send, queue } = setUp();
    mlx.script = [() => [{ type: 'die', cause: 'killed' }], () => says('fine')];
    ollama.script = [
      () => [
        { type: 'pause', ms: 1000 },
        { type: 'die', cause: 'killed' },
      ],
      () => says('fine'),
    ];
    const first = send(CODE);
    await settle();
    const second = send('hello');
    await clock.advance(1500);
    expect(queue.stats()).toMatchObject({ running: 0, replaying: 2 });
    mlx.state = 'ready';
    expect((await second.finished).end).toMatchObject({ backend: 'mlx' });
    ollama.state = 'ready';
    expect((await first.finished).end).toMatchObject({ backend: 'ollama' });
  });

  it('gives no slot to requests for a dead backend', async () => {
    const { clock, ollama, send, queue } = setUp();
    ollama.state = 'starting';
    const waiting = [send(CODE), send(CODE), send(CODE)];
    await clock.advance(60_000);
    expect(queue.stats()).toMatchObject({ depth: 3, running: 0 });
    ollama.state = 'ready';
    const answers = await Promise.all(waiting.map(({ finished }) => finished));
    expect(answers.map(({ text }) => text)).toEqual(['fine', 'fine', 'fine']);
    expect(ollama.mostRunning).toBe(1);
  });

  it('obeys a client that forbids fallback: 503', async () => {
    const { mlx, ollama, send } = setUp();
    mlx.script = [dies()];
    const answer = await send('hello', { strict: true, origin: 'gateway' }).finished;
    expect(answer.error).toMatchObject({ code: 'mlx_down' });
    expect(ollama.requests).toHaveLength(0);
  });

  it('reports at once to such a client that the server is down', async () => {
    const { mlx, ollama, send } = setUp();
    mlx.state = 'backoff';
    const answer = await send('hello', { strict: true, origin: 'gateway' }).finished;
    expect(answer.error).toMatchObject({ code: 'mlx_down', retryAfterS: 5 });
    expect(ollama.requests).toHaveLength(0);
  });

  it('never returns an echo: the next backend is tried', async () => {
    const { ollama, send } = setUp();
    ollama.script = [() => says(GENERAL.slice(0, 10), GENERAL.slice(10))];
    const answer = await send(GENERAL).finished;
    expect(answer.text).toBe('fine');
    expect(answer.end).toMatchObject({ backend: 'mlx', reasons: ['rule:default', 'fallback:ollama-echo'] });
  });

  it('responds 502 to an echo when no other server can judge it', async () => {
    const { ollama, send } = setUp({ models: MODELS.filter(({ backend }) => backend === 'ollama') });
    ollama.script = [() => says(GENERAL)];
    const answer = await send(GENERAL).finished;
    expect(answer.error).toMatchObject({ code: 'echo' });
    expect(answer.text).toBe('');
  });

  it('accepts the prompt as the answer when two servers return it', async () => {
    const { ollama, mlx, send, records } = setUp();
    ollama.script = [() => says(GENERAL)];
    mlx.script = [() => says(GENERAL.slice(0, 9), `${GENERAL.slice(9)}\n`)];
    const asked: Partial<CompletionRequest>[] = [
      {},
      { origin: 'gateway' },
      { origin: 'gateway', whole: true },
    ];
    for (const more of asked) {
      const answer = await send(GENERAL, more).finished;
      expect(answer.error).toBeNull();
      expect(answer.text.trim()).toBe(GENERAL);
      expect(answer.end).toMatchObject({ backend: 'mlx' });
      expect(answer.end?.reasons).toEqual(expect.arrayContaining(['fallback:ollama-echo', 'echo']));
    }
    expect(records.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
  });

  it('passes a reply at once that begins with the prompt and adds to it', async () => {
    const { ollama, mlx, send } = setUp();
    const long = `${GENERAL}, where the woods turn red before the first snow`;
    ollama.script = [() => says(long, ' falls.')];
    const answer = await send(long).finished;
    expect(answer.text).toBe(`${long} falls.`);
    expect(answer.end).toMatchObject({ backend: 'ollama', reasons: ['rule:default'] });
    expect(mlx.requests).toHaveLength(0);
  });

  it('passes the text unchanged that follows thinking', async () => {
    const { ollama, send } = setUp();
    ollama.script = [() => [{ type: 'thinking', text: 'Nothing to correct.' }, ...says(GENERAL)]];
    const answer = await send(GENERAL, { origin: 'gateway' }).finished;
    expect(answer.error).toBeNull();
    expect(answer.text).toBe(GENERAL);
  });

  it('passes the echo of a named model, with a reason', async () => {
    const { mlx, send } = setUp();
    mlx.script = [() => says(GENERAL)];
    const answer = await send(GENERAL, { model: { kind: 'named', name: 'phi3.5-mini-4k' } }).finished;
    expect(answer.text).toBe(GENERAL);
    expect(answer.end).toMatchObject({ backend: 'mlx', reasons: ['explicit:model', 'rule:default', 'echo'] });
  });

  it('does not forward a bad request to the next backend', async () => {
    const { mlx, ollama, send } = setUp();
    mlx.script = [() => [{ type: 'fail', error: new TandemError('bad_request', 'no such option') }]];
    const answer = await send('hello').finished;
    expect(answer.error).toMatchObject({ code: 'bad_request' });
    expect(ollama.requests).toHaveLength(0);
  });

  it('starts the timeout of a backend when it accepts the request, not at arrival', async () => {
    const { clock, ollama, send } = setUp();
    ollama.script = [
      () => [{ type: 'pause', ms: 200_000 }, ...says('first')],
      () => [{ type: 'hang' }],
      () => says('x'),
    ];
    const first = send(CODE);
    await settle();
    const second = send(CODE, { origin: 'gateway' });
    await clock.advance(200_000);
    expect((await first.finished).text).toBe('first');
    await clock.advance(299_000);
    expect(second.answer.error).toBeNull();
    await clock.advance(1000);
    await second.finished;
    expect(second.answer.error).toMatchObject({ code: 'timeout', details: { seconds: 300 } });
  });

  it('gives reasoning at least 600 s, and a client its own shorter timeout', async () => {
    const { clock, ollama, send } = setUp();
    ollama.script = [() => [{ type: 'hang' }]];
    const long = send('Prove that the square root of two is irrational');
    await clock.advance(599_000);
    expect(long.answer.error).toBeNull();
    await clock.advance(2000);
    expect((await long.finished).error).toMatchObject({ code: 'timeout', details: { seconds: 600 } });
  });

  it('removes a request that is cancelled in the queue', async () => {
    const { clock, mlx, send, queue } = setUp();
    mlx.script = [() => [{ type: 'pause', ms: 1000 }, ...says('slow')], () => says('next')];
    const running = send('hello');
    await settle();
    const waiting = send('hello');
    const next = send('hello');
    await settle();
    expect(next.answer.events.at(-1)).toMatchObject({ type: 'waiting', position: 2 });
    waiting.abort.abort();
    await waiting.finished;
    expect(waiting.answer.error).toMatchObject({ code: 'cancelled' });
    await clock.advance(1000);
    await Promise.all([running.finished, next.finished]);
    expect(next.answer.text).toBe('next');
    expect(mlx.requests).toHaveLength(2);
    expect(queue.stats()).toMatchObject({ done: 2, cancelled: 1, depth: 0 });
  });

  it('ends a request cancelled through the queue, waiting or running, as if its caller had left', async () => {
    const { clock, mlx, send, queue, records } = setUp();
    mlx.script = [() => [{ type: 'prefill', done: 1, total: 9 }, { type: 'hang' }], () => says('next')];
    const running = send('hello');
    const waiting = send('hello');
    const next = send('hello');
    await settle();
    queue.cancel('r1');
    queue.cancel('r0');
    expect((await waiting.finished).error).toMatchObject({ code: 'cancelled' });
    expect((await running.finished).error).toMatchObject({ code: 'cancelled' });
    await clock.advance(1000);
    expect((await next.finished).text).toBe('next');
    expect(mlx.requests).toHaveLength(2);
    expect(records.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['r1', 'cancelled'],
      ['r0', 'cancelled'],
      ['r2', 'done'],
    ]);
    expect(queue.stats()).toMatchObject({ done: 1, cancelled: 2, running: 0, depth: 0 });
  });

  it('gives a low request that was evicted for a more urgent one a retry time', async () => {
    const { mlx, send, queue, records, clock } = setUp({ maxDepth: 1 });
    mlx.script = [() => [{ type: 'pause', ms: 1000 }, ...says('slow')], () => says('next')];
    const running = send('hello');
    await settle();
    const shed = send('hello', { priority: 'low', client: 'worker' });
    await settle();
    const urgent = send('hello');
    const { error } = await shed.finished;
    expect(error).toMatchObject({ code: 'queue_full' });
    expect(error?.retryAfterS).toBeGreaterThan(0);
    await clock.advance(1000);
    await Promise.all([running.finished, urgent.finished]);
    expect(urgent.answer.text).toBe('next');
    expect(mlx.requests).toHaveLength(2);
    expect(records).toMatchObject([{ outcome: 'failed', code: 'queue_full' }, {}, {}]);
    expect(queue.stats()).toMatchObject({ accepted: 3, done: 2, failed: 1, depth: 0 });
  });

  it('settles a cancelled caller at once and keeps the slot until the backend has drained', async () => {
    const { clock, mlx, send, queue, records } = setUp();
    mlx.holdDrains();
    mlx.script = [() => [{ type: 'prefill', done: 1, total: 9 }, { type: 'hang' }], () => says('next')];
    const first = send('hello');
    await settle();
    first.abort.abort();
    expect(queue.stats()).toMatchObject({ cancelled: 1, running: 0, by_backend: { mlx: { draining: 1 } } });
    expect(records).toMatchObject([{ outcome: 'cancelled', backend: 'mlx' }]);
    expect((await first.finished).error).toMatchObject({ code: 'cancelled' });
    const next = send('hello');
    await clock.advance(1500);
    expect(next.answer.kinds).toEqual(['routed', 'waiting']);
    mlx.finishDrains();
    expect((await next.finished).end).toMatchObject({ backend: 'mlx' });
  });

  it('queries what a backend still computes only when its stream has ended', async () => {
    const { mlx, send, queue } = setUp();
    const drained = Promise.withResolvers<void>();
    let leaving = false;
    mlx.stream = async function* (_request, signal) {
      try {
        yield { type: 'prefill', done: 1, total: 2 };
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      } finally {
        leaving = true;
      }
    };
    mlx.drained = () => (leaving ? drained.promise : Promise.resolve());
    const first = send('hello');
    await settle();
    first.abort.abort();
    await first.finished;
    await settle();
    expect(queue.stats().by_backend.mlx).toEqual({ depth: 0, running: 0, draining: 1 });
    drained.resolve();
    await settle();
    expect(queue.stats().by_backend.mlx).toEqual({ depth: 0, running: 0, draining: 0 });
  });

  it('frees the slot of a backend whose stream ignores the abort', async () => {
    const { clock, mlx, send, queue } = setUp();
    mlx.script = [() => [{ type: 'hang' }]];
    const first = send('hello');
    await settle();
    first.abort.abort();
    await clock.advance(1000);
    expect(queue.stats().by_backend.mlx).toEqual({ depth: 0, running: 0, draining: 0 });
  });

  it('cancels when the reader stops reading', async () => {
    const { mlx, dispatcher, request, queue } = setUp();
    mlx.script = [() => says('one', 'two', 'three')];
    for await (const event of dispatcher.dispatch(request('hello'), new AbortController().signal)) {
      if (event.type === 'text') break;
    }
    expect(queue.stats()).toMatchObject({ cancelled: 1, done: 0, running: 0 });
    await settle();
    expect(mlx.running).toBe(0);
  });

  it('moves waiting requests to the next backend when a drain takes over 2 s', async () => {
    const { clock, mlx, send } = setUp();
    mlx.holdDrains();
    mlx.script = [() => [{ type: 'hang' }]];
    const first = send('hello');
    await settle();
    const waiting = send('hello');
    await settle();
    first.abort.abort();
    await clock.advance(1900);
    expect(waiting.answer.end).toBeNull();
    await clock.advance(200);
    expect((await waiting.finished).end).toMatchObject({
      backend: 'ollama',
      reasons: ['rule:greeting', 'fallback:mlx-draining'],
    });
    const later = send('hello');
    expect((await later.finished).end).toMatchObject({ backend: 'ollama' });
  });

  it('moves nothing to a lesser model because Ollama still drains', async () => {
    const { clock, ollama, mlx, send } = setUp();
    ollama.holdDrains();
    ollama.script = [() => [{ type: 'hang' }], () => says('at last')];
    const first = send(GENERAL);
    await settle();
    const waiting = send(GENERAL);
    await settle();
    first.abort.abort();
    await clock.advance(5000);
    ollama.finishDrains();
    expect((await waiting.finished).end).toMatchObject({ backend: 'ollama' });
    expect(mlx.requests).toHaveLength(0);
  });

  it('treats an unrequested abort as the failure of the backend', async () => {
    const { mlx, send } = setUp();
    mlx.stream = async function* () {
      yield { type: 'prefill', done: 1, total: 2 };
      throw new DOMException('This operation was aborted', 'AbortError');
    };
    const answer = await send('hello').finished;
    expect(answer.end).toMatchObject({
      backend: 'ollama',
      reasons: ['rule:greeting', 'fallback:mlx-failed'],
    });
  });

  it('ends a wait for a slot with 503 and a retry time', async () => {
    const { clock, ollama, send, queue } = setUp({ settings: { queueWaitTimeoutS: 10 } });
    ollama.script = [() => [{ type: 'pause', ms: 60_000 }, ...says('slow')]];
    const running = send(CODE);
    await settle();
    const late = send(CODE, { origin: 'gateway' });
    await clock.advance(10_000);
    expect((await late.finished).error).toMatchObject({
      code: 'queue_timeout',
      retryAfterS: expect.any(Number),
    });
    await clock.advance(60_000);
    await running.finished;
    expect(queue.stats()).toMatchObject({ done: 1, failed: 1 });
  });

  it('records rejected requests, and exempts the UI from the rate limit', async () => {
    const { send, records, queue } = setUp({ settings: { rateLimitMax: 1 } });
    await send('hello', { origin: 'mlx-api', rateLimited: true }).finished;
    const refused = await send('hello', { origin: 'mlx-api', rateLimited: true }).finished;
    expect(refused.error).toMatchObject({ code: 'rate_limited', retryAfterS: 90 });
    expect((await send('hello').finished).error).toBeNull();
    expect(records.map(({ outcome }) => outcome)).toEqual(['done', 'rejected', 'done']);
    expect(queue.stats()).toMatchObject({ received: 3, accepted: 2, rejected: 1, done: 2 });
  });

  it('counts a rejected route as failed', async () => {
    const { send, queue } = setUp({ models: [model('mlx', 'phi3.5-mini-4k', 3.8)] });
    const answer = await send(CODE).finished;
    expect(answer.kinds).toEqual(['routed']);
    expect(answer.error).toMatchObject({ code: 'no_model' });
    expect(queue.stats()).toMatchObject({ accepted: 1, failed: 1 });
  });

  it('scans for models once more before it rejects for lack of one', async () => {
    const models: ModelInfo[] = [];
    const refresh = async () => void models.push(model('ollama', 'qwen2.5-coder:7b', 7));
    const { send } = setUp({ models, refresh });
    const answer = await send(CODE).finished;
    expect(answer.end).toMatchObject({ backend: 'ollama', model: 'qwen2.5-coder:7b' });
  });

  it('reports what is missing: the model by name, else one for the category', async () => {
    const missed: string[] = [];
    const { send } = setUp({ models: [], refresh: async (what) => void missed.push(what) });
    await send(CODE).finished;
    await send(CODE, { model: { kind: 'named', name: 'nobody:1b' } }).finished;
    expect(missed).toEqual(['work coding', 'model nobody:1b']);
  });

  it('decides the category once, also when it routes again', async () => {
    const decided: string[] = [];
    const decider: Decider = {
      limitMs: 8000,
      decide: async ({ id }) => {
        decided.push(id);
        return { category: 'coding', evidence: ['rule:of-the-test'] };
      },
    };
    const models: ModelInfo[] = [];
    const refresh = async () => void models.push(...MODELS);
    const { ollama, mlx, send, records } = setUp({ decider, models, refresh });
    ollama.script = [dies(), dies()];
    mlx.script = [dies()];
    const { events } = await send('hello').finished;
    expect(events[0]).toMatchObject({ type: 'routed', category: 'coding' });
    expect(decided).toEqual(['r0']);
    expect(ollama.requests.length + mlx.requests.length).toBeGreaterThan(1);
    expect(records[0]).toMatchObject({ category: 'coding' });
    expect(records[0]?.reasons[0]).toBe('rule:of-the-test');
  });

  it('decides by rules when the decision fails', async () => {
    const decide = () => Promise.reject(new Error('no light model'));
    const { send } = setUp({ decider: { limitMs: 8000, decide } });
    const { end } = await send('hello').finished;
    expect(end).toMatchObject({ backend: 'mlx', reasons: ['rule:greeting'] });
  });

  it.each([
    [8000, 8000],
    [60_000, 10_000],
  ])('decides by rules after the limit of the decider: %i ms', async (limitMs, until) => {
    let given: AbortSignal | null = null;
    const decide = (_request: CompletionRequest, signal: AbortSignal) => {
      given = signal;
      return new Promise<never>(() => {});
    };
    const { clock, send } = setUp({ decider: { limitMs, decide } });
    const { finished, answer } = send('hello');
    await clock.advance(until - 1);
    expect(answer.events).toEqual([]);
    expect(given).toMatchObject({ aborted: false });
    await clock.advance(1);
    expect((await finished).end).toMatchObject({ backend: 'mlx', reasons: ['rule:greeting'] });
    expect(given).toMatchObject({ aborted: true });
  });

  it('does not retry a server whose answer did not end', async () => {
    const { ollama, send } = setUp();
    const error = new TandemError('backend_failed', 'endless', { details: { cause: 'endless' } });
    ollama.script = [() => [{ type: 'fail', error }]];
    const answer = await send(CODE).finished;
    expect(answer.error).toMatchObject({ details: { cause: 'endless' } });
    expect(ollama.requests).toHaveLength(1);
  });

  it('reports how many of the oldest turns did not fit', async () => {
    const { ollama, send } = setUp({
      models: [model('ollama', 'qwen2.5-coder:32b', 32, { contextLength: 1000 })],
    });
    const messages: CompletionRequest['messages'] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'word '.repeat(500) },
      { role: 'assistant', content: 'ok' },
      { role: 'user', content: GENERAL },
    ];
    const answer = await send('', { messages }).finished;
    expect(answer.events.find((event) => event.type === 'attempt')).toMatchObject({ droppedTurns: 1 });
    expect(ollama.requests[0]?.messages.map(({ content }) => content)).toEqual(['Be brief.', GENERAL]);
  });

  it('gives the backend all that is for the model, with the fields of the dialect', async () => {
    const { ollama, send } = setUp({
      models: [model('ollama', 'able', 8, { capabilities: ['tools', 'completion'] })],
    });
    const input = {
      sampling: { seed: 1 },
      format: { type: 'json' },
      tools: [{ name: 'look' }],
      toolChoice: 'none',
      think: 'low',
      dialect: 'ollama',
      extra: { shift: false, options: { num_ctx: 8 } },
    } as const;
    await send(GENERAL, input as unknown as Partial<CompletionRequest>).finished;
    expect(ollama.requests[0]).toMatchObject(input);
  });

  it('forwards thinking and tool calls as they arrive', async () => {
    const { ollama, send } = setUp();
    const call = { type: 'tool_call', index: 0, name: 'look', arguments: {} } as const;
    ollama.script = [() => [{ type: 'thinking', text: 'hm' }, call, END]];
    const answer = await send(GENERAL).finished;
    expect(answer.kinds).toEqual(['routed', 'attempt', 'started', 'thinking', 'tool_call', 'end']);
  });

  it('answers 20 mixed requests while MLX dies in the middle of them', async () => {
    const { clock, mlx, ollama, send, queue, records } = setUp();
    const slow = () => [{ type: 'pause', ms: 100 } as const, ...says('slow ', 'answer')];
    let taken = 0;
    mlx.script = [
      () => {
        taken += 1;
        if (taken < 3) return slow();
        mlx.state = 'backoff';
        return dies({ type: 'pause', ms: 50 })();
      },
    ];
    ollama.script = [slow];
    const texts = ['hello', CODE, 'thanks!', GENERAL];
    const sent = Array.from({ length: 20 }, (_, index) => send(texts[index % texts.length] as string));
    await clock.advance(60_000);
    const answers = await Promise.all(sent.map(({ finished }) => finished));
    expect(answers.map(({ error }) => error)).toEqual(Array(20).fill(null));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['slow answer']));
    expect(answers.filter(({ end }) => end?.type === 'end' && end.backend === 'ollama').length).toBe(18);
    expect(queue.stats()).toMatchObject({
      accepted: 20,
      done: 20,
      failed: 0,
      running: 0,
      replaying: 0,
      depth: 0,
    });
    expect(records.map(({ id }) => id).sort()).toEqual(answers.map((_, index) => `r${index}`).sort());
    expect(clock.pending).toBe(0);
  });
});
