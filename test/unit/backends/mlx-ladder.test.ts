import { describe, expect, test } from 'vitest';
import { LadderKeeper } from '../../../src/main/backends/mlx/ladder-keeper';
import { type MlxLaunchOptions, mlxLaunchSpec } from '../../../src/main/backends/mlx/launch-spec';
import {
  type LadderMemory,
  processLimits,
  type Remembered,
  rest,
  rungOf,
  STABLE_MS,
  shortenSteps,
  stepDown,
  stepTokens,
  untilClimb,
} from '../../../src/main/backends/mlx/oom-ladder';
import type { FileStore } from '../../../src/main/ports/file-store';
import { silentLogger } from '../../../src/main/ports/logger';
import { FakeClock } from '../../support/fake-clock';

const on = (rung: number, stableMs = 0, peakBytes: number | null = null, steps = 0): Remembered => ({
  rung,
  steps,
  stableMs,
  peakBytes,
});

describe('a death from lack of memory', () => {
  /** rung before | a smaller model exists | rung after | at the bottom */
  const STEPS: [number, boolean, number, boolean][] = [
    [0, true, 1, false],
    [0, false, 1, false],
    [1, true, 2, false],
    [1, false, 2, false],
    [2, true, 3, false],
    [2, false, 2, true],
    [3, true, 3, true],
    [3, false, 3, true],
  ];
  test.each(STEPS)('on rung %i, smaller one %j: rung %i, bottom %j', (before, smaller, rung, bottom) => {
    const memory: LadderMemory = before === 0 ? {} : { m: on(before, 5_000) };
    expect(stepDown(memory, 'm', smaller, 8e9)).toEqual({ memory: { m: on(rung, 0, 8e9) }, bottom });
  });

  test('costs no other model its rung', () => {
    expect(stepDown({ other: on(2, 7) }, 'm', true, null).memory).toEqual({ other: on(2, 7), m: on(1) });
  });
});

describe('GPU work that took too long', () => {
  test('shortens the prefill steps down to the shortest, and leaves caches and peak as they were', () => {
    const once = shortenSteps({}, 'm');
    expect(once).toEqual({ m: on(0, 0, null, 1) });
    expect(processLimits(once, 'm')).toEqual({
      ...{ promptCacheBytes: 1e9, prefillStepTokens: 64 },
      ...{ bufferPoolBytes: null, memoryBytes: null },
    });
    const thrice = shortenSteps(shortenSteps(once, 'm'), 'm');
    expect([thrice.m?.steps, stepTokens(thrice, 'm')]).toEqual([2, 32]);
    expect(shortenSteps({ m: on(1, 5, 8e9) }, 'm')).toEqual({ m: on(1, 0, 8e9, 1) });
  });

  test('keeps its steps when memory runs out too', () => {
    const { memory } = stepDown(shortenSteps({}, 'm'), 'm', true, 8e9);
    expect(memory).toEqual({ m: on(1, 0, 8e9, 1) });
    expect(processLimits(memory, 'm')).toMatchObject({ promptCacheBytes: 128e6, prefillStepTokens: 64 });
  });
});

describe('a day without', () => {
  /** before | ms | after */
  const DAYS: [LadderMemory, number, LadderMemory][] = [
    [{}, STABLE_MS, {}],
    [{ m: on(2) }, 1000, { m: on(2, 1000) }],
    [{ m: on(2, STABLE_MS - 1) }, 1, { m: on(1) }],
    [{ m: on(3, 0, 9) }, STABLE_MS, { m: on(2, 0, 9) }],
    [{ m: on(1, 10) }, STABLE_MS, {}],
    [{ m: on(1, 10), other: on(1) }, STABLE_MS, { other: on(1) }],
    [{ m: on(2, 0, null, 2) }, STABLE_MS, { m: on(1, 0, null, 1) }],
    [{ m: on(0, 0, null, 2) }, STABLE_MS, { m: on(0, 0, null, 1) }],
    [{ m: on(0, 0, null, 1) }, STABLE_MS, {}],
  ];
  test.each(DAYS)('%j and %i ms: %j', (before, ms, after) => {
    expect(rest(before, 'm', ms)).toEqual(after);
  });

  test('is counted down', () => {
    expect([untilClimb({}, 'm'), untilClimb({ m: on(1, 1000) }, 'm')]).toEqual([null, STABLE_MS - 1000]);
  });
});

describe('the limits of a rung', () => {
  test('first the kept prompts, then long requests, then the model', () => {
    const memories: LadderMemory[] = [{}, { m: on(1) }, { m: on(2) }, { m: on(3) }];
    const rungs = memories.map((memory) => rungOf(memory, 'm'));
    expect(rungs.map(({ kind, contextTokens }) => [kind, contextTokens])).toEqual([
      ['full', null],
      ['prompt_cache', null],
      ['context', 4096],
      ['model', 4096],
    ]);
  });

  test('a process gets the tightest remembered limits, and the peak of its own first model', () => {
    const full = { promptCacheBytes: 1e9, prefillStepTokens: 128, bufferPoolBytes: null, memoryBytes: null };
    expect(processLimits({}, 'm')).toEqual(full);
    const memory = { m: on(1, 0, 10e9), other: on(2, 0, 1e9) };
    expect(processLimits(memory, 'm')).toEqual({
      ...{ promptCacheBytes: 128e6, prefillStepTokens: 64 },
      ...{ bufferPoolBytes: 256e6, memoryBytes: 9e9 },
    });
    expect(processLimits(memory, null).memoryBytes).toBeNull();
  });

  test('a limit that the user has set applies when it is tighter', () => {
    const spec = (env: Record<string, string>, bufferPoolBytes: number | null) =>
      mlxLaunchSpec({
        ...{ python: 'python', script: 'launch.py', preload: null, maxConcurrent: 1, env },
        limits: { promptCacheBytes: 128e6, prefillStepTokens: 64, bufferPoolBytes, memoryBytes: null },
        memory: null,
      });
    expect(spec({ TANDEM_MLX_CACHE_BYTES: '100' }, 200).env.TANDEM_MLX_CACHE_BYTES).toBe('100');
    expect(spec({ TANDEM_MLX_CACHE_BYTES: '300' }, 200).env.TANDEM_MLX_CACHE_BYTES).toBe('200');
    expect(spec({}, 200).env).toMatchObject({ TANDEM_MLX_CACHE_BYTES: '200' });
    expect(spec({}, null).env).not.toHaveProperty('TANDEM_MLX_CACHE_BYTES');
    expect(spec({}, null).args.join(' ')).toContain('--prefill-step-size 64 --prompt-cache-size 4');
    expect(spec({}, null).args.join(' ')).toContain('--prompt-cache-bytes 128000000');
  });
});

describe('the limits from the memory ledger', () => {
  const LEDGER = { memoryBytes: 20e9, bufferPoolBytes: 2e9, wiredBytes: 0 };
  const start = (change: Partial<MlxLaunchOptions> = {}) =>
    mlxLaunchSpec({
      ...{ python: 'python', script: 'launch.py', preload: null, maxConcurrent: 1, env: {} },
      limits: processLimits({}, null),
      memory: LEDGER,
      ...change,
    });

  test('are set at each start; those of the ladder replace them where they are lower', () => {
    expect(start().env).toMatchObject({
      ...{ TANDEM_MLX_MEMORY_BYTES: '20000000000', TANDEM_MLX_CACHE_BYTES: '2000000000' },
      TANDEM_MLX_WIRED_BYTES: '0',
    });
    const limits = processLimits({ m: on(1, 0, 10e9) }, 'm');
    expect(start({ limits }).env).toMatchObject({
      ...{ TANDEM_MLX_MEMORY_BYTES: '9000000000', TANDEM_MLX_CACHE_BYTES: '256000000' },
    });
  });

  test('wire what the setting says, whatever the environment says', () => {
    const env = { TANDEM_MLX_WIRED_BYTES: '99000000000' };
    expect(start({ env }).env.TANDEM_MLX_WIRED_BYTES).toBe('0');
    expect(start({ env, memory: { ...LEDGER, wiredBytes: 5e9 } }).env.TANDEM_MLX_WIRED_BYTES).toBe(
      '5000000000',
    );
  });

  test('allow several requests at once only while they are known', () => {
    const slots = (memory: MlxLaunchOptions['memory']) =>
      start({ maxConcurrent: 4, memory })
        .args.join(' ')
        .match(/--decode-concurrency (\d)/)?.[1];
    expect([slots(LEDGER), slots(null)]).toEqual(['4', '1']);
    expect(start({ memory: null }).env.TANDEM_MLX_WIRED_BYTES).toBe('0');
  });
});

describe('the ladder over starts', () => {
  const HOUR = 3_600_000;

  function keeper(files = new Map<string, string>(), smaller: string | null = 'small') {
    const clock = new FakeClock();
    const moments: string[] = [];
    const store: Pick<FileStore, 'readText' | 'replace'> = {
      readText: async (path) => files.get(path) ?? null,
      replace: async (path, text) => void files.set(path, text),
    };
    const ladder = new LadderKeeper({
      file: { store: store as FileStore, path: 'ladder.json' },
      clock,
      logger: silentLogger,
      smallerModel: (model) => (model === smaller ? null : smaller),
      onRung: ({ model, rung, kind }) => moments.push(`${model} ${rung} ${kind}`),
    });
    return { ladder, clock, files, moments };
  }

  test('goes down rung by rung, uses a smaller model, and ends at the bottom', () => {
    const { ladder, moments } = keeper();
    expect(ladder.begin('large')).toBe('large');
    const goesOn = ['large', 'large', 'large', 'small'].map((model) => {
      const on = ladder.exited('out_of_memory', model, null);
      return [on, ladder.begin('large')];
    });
    expect(goesOn).toEqual([
      [true, 'large'],
      [true, 'large'],
      [true, 'small'],
      [false, 'small'],
    ]);
    expect(moments).toEqual(['large 1 prompt_cache', 'large 2 context', 'large 3 model']);
    expect(ladder.view()).toMatchObject({ rung: 3, rungs: 4, kind: 'model', model: 'small', climbsAt: null });
  });

  test('without a smaller model the short context is the last rung', () => {
    const { ladder } = keeper(new Map(), null);
    ladder.begin('only');
    const goesOn = [1, 2, 3].map(() => ladder.exited('killed_by_os', 'only', null));
    expect(goesOn).toEqual([true, true, false]);
    expect(ladder.view()).toMatchObject({ rung: 2, kind: 'context', contextTokens: 4096 });
  });

  test('the user may retry at the bottom, and keeps the rung', () => {
    const { ladder } = keeper(new Map(), null);
    ladder.begin('only');
    for (let death = 0; death < 3; death += 1) ladder.exited('out_of_memory', 'only', null);
    ladder.tryAgain();
    expect(ladder.begin('only')).toBe('only');
    expect(ladder.view()).toMatchObject({ rung: 2, climbsAt: expect.any(Number) });
    expect(ladder.exited('out_of_memory', 'only', null)).toBe(false);
  });

  test('other deaths cost no rung', () => {
    const { ladder } = keeper();
    ladder.begin('large');
    for (const cause of ['stalled', 'killed', 'unknown', 'generation_dead'] as const) {
      expect(ladder.exited(cause, 'large', null)).toBe(true);
    }
    expect(ladder.view()).toMatchObject({ rung: 0, kind: 'full', climbsAt: null });
  });

  test('GPU work that blocked the display costs steps, no rung and no cache; the user sees it', () => {
    const { ladder, moments } = keeper();
    ladder.begin('large');
    expect(ladder.exited('gpu_hang', 'large', 5e9)).toBe(true);
    expect(moments).toEqual(['large 0 prefill_steps']);
    expect(ladder.view()).toMatchObject({ rung: 0, kind: 'full', prefillStepTokens: 64 });
    expect(ladder.limits()).toMatchObject({
      promptCacheBytes: 1e9,
      prefillStepTokens: 64,
      memoryBytes: null,
    });
    expect(ladder.view()?.climbsAt).not.toBeNull();
  });

  test('a cause that is found after the next start counts from the start after it', async () => {
    const { ladder, clock } = keeper();
    ladder.begin('large');
    ladder.exited('unknown', 'large', null);
    ladder.up();
    ladder.explained('out_of_memory', 'large', 6e9);
    expect(ladder.limits()).toMatchObject({ promptCacheBytes: 128e6, memoryBytes: 5.4e9 });
    ladder.up();
    await clock.advance(24 * HOUR);
    expect(ladder.view()).toMatchObject({ rung: 0 });
  });

  test('a model that a request named is charged itself; the preloaded one stays unchanged', () => {
    const { ladder } = keeper();
    ladder.begin('large');
    for (let death = 0; death < 5; death += 1) {
      expect(ladder.exited('out_of_memory', 'huge', null)).toBe(true);
    }
    expect(ladder.view()).toMatchObject({ rung: 0 });
    expect([ladder.refuses('huge', 1), ladder.refuses('large', 100_000)]).toEqual([true, false]);
  });

  test('long requests are rejected where only short ones were survivable', () => {
    const { ladder } = keeper();
    ladder.begin('large');
    ladder.exited('out_of_memory', 'large', null);
    expect(ladder.refuses('large', 100_000)).toBe(false);
    ladder.exited('out_of_memory', 'large', null);
    expect([ladder.refuses('large', 4_096), ladder.refuses('large', 4_097)]).toEqual([false, true]);
  });

  test('is kept over starts of the app, and climbs only with uptime of the server', async () => {
    const first = keeper();
    first.ladder.begin('large');
    first.ladder.exited('out_of_memory', 'large', 5e9);
    first.ladder.up();
    await first.clock.advance(20 * HOUR);
    first.ladder.down();
    await first.clock.advance(100 * HOUR);
    await first.ladder.settled();

    const { ladder, clock, moments } = keeper(first.files);
    await ladder.load();
    ladder.begin('large');
    expect(ladder.view()).toMatchObject({ rung: 1, kind: 'prompt_cache' });
    expect(ladder.limits().memoryBytes).toBe(4.5e9);
    ladder.up();
    await clock.advance(3 * HOUR);
    expect(moments).toEqual([]);
    await clock.advance(1 * HOUR);
    expect(moments).toEqual(['large 0 full']);
    expect([ladder.view()?.rung, clock.pending]).toEqual([0, 0]);
    await ladder.settled();
    expect(JSON.parse(first.files.get('ladder.json') ?? '')).toEqual({ version: 1, models: {} });
  });

  test('a machine that slept for a day has not been stable for a day', async () => {
    const { ladder, clock } = keeper();
    ladder.begin('large');
    ladder.exited('out_of_memory', 'large', null);
    ladder.up();
    clock.sleepThrough(30 * HOUR);
    await clock.advance(HOUR);
    expect(ladder.view()?.rung).toBe(1);
  });

  test.each(['', '{', '[]', '{"version":1,"models":{"m":{"rung":9,"stableMs":0,"peakBytes":null}}}'])(
    'a file that says %j is no ladder',
    async (text) => {
      const { ladder } = keeper(new Map([['ladder.json', text]]));
      await ladder.load();
      ladder.begin('m');
      expect(ladder.view()).toMatchObject({ rung: 0 });
    },
  );

  test('a file of an earlier version has full prefill steps', async () => {
    const text = '{"version":1,"models":{"m":{"rung":1,"stableMs":0,"peakBytes":null}}}';
    const { ladder } = keeper(new Map([['ladder.json', text]]));
    await ladder.load();
    ladder.begin('m');
    expect(ladder.view()).toMatchObject({ rung: 1, prefillStepTokens: null });
  });

  test('a full disk loses the stored state, and nothing else', async () => {
    const { ladder } = keeper({
      get: () => undefined,
      set: () => {
        throw new Error('full');
      },
    } as unknown as Map<string, string>);
    ladder.begin('large');
    expect(ladder.exited('out_of_memory', 'large', null)).toBe(true);
    await ladder.settled();
    expect(ladder.view()?.rung).toBe(1);
  });
});
