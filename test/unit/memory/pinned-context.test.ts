import { describe, expect, it } from 'vitest';
import { MLX_BEHAVIOUR } from '../../../src/main/backends/mlx/mlx-backend';
import { OLLAMA_BEHAVIOUR } from '../../../src/main/backends/ollama/ollama-options';
import { decide } from '../../../src/main/memory/guard';
import { ledgerAccount } from '../../../src/main/memory/ledger';
import { type ContextModel, pinnedContext } from '../../../src/main/memory/pinned-context';
import { holdsTogether } from '../../../src/main/memory/quiet-machine';
import type { MemoryBehaviour } from '../../../src/main/memory/types';
import { contextCost } from '../../../src/shared/context-cost';
import type { MemoryStatus } from '../../../src/shared/status';

const GIB = 2 ** 30;
const GB = 1e9;

function model(
  behaviour: MemoryBehaviour,
  weightsGb: number,
  kvBytesPerToken: number | null,
  contextLength: number,
): ContextModel {
  return {
    behaviour,
    needs: { weightsBytes: weightsGb * GB, largestTensorBytes: null, kvBytesPerToken },
    contextLength,
  };
}

/** Published sizes of 4-bit models; bytes per token from their configurations. */
const QWEN_3B = model(MLX_BEHAVIOUR, 1.74, 36_864, 32_768);
const PHI = model(MLX_BEHAVIOUR, 2.15, 393_216, 4_096);
const HEAVY = {
  '7B': model(OLLAMA_BEHAVIOUR, 4.7, 57_344, 131_072),
  '14B': model(OLLAMA_BEHAVIOUR, 9, 196_608, 131_072),
  '32B': model(OLLAMA_BEHAVIOUR, 19.9, 262_144, 131_072),
  '70B': model(OLLAMA_BEHAVIOUR, 42.5, 327_680, 131_072),
};
const quiet = (gib: number) => ({ totalBytes: gib * GIB, criticalPercent: 95 });

/** Both pinned lengths of a pair. */
function pair(light: ContextModel, heavy: ContextModel, gib: number): [light: number, heavy: number] {
  const machine = quiet(gib);
  return [
    pinnedContext(light, { ...heavy, isFirst: false }, machine),
    pinnedContext(heavy, { ...light, isFirst: true }, machine),
  ];
}

describe('the context of a pair', () => {
  it.each<[number, keyof typeof HEAVY, [number, number]]>([
    [8, '7B', [16_384, 4_096]],
    [16, '7B', [32_768, 40_960]],
    [24, '7B', [32_768, 131_072]],
    [32, '14B', [32_768, 41_984]],
    [36, '14B', [32_768, 55_296]],
    [48, '32B', [32_768, 43_008]],
    [64, '32B', [32_768, 87_040]],
    [96, '70B', [32_768, 69_632]],
    [128, '70B', [32_768, 131_072]],
    [192, '70B', [32_768, 131_072]],
    [256, '70B', [32_768, 131_072]],
    [512, '70B', [32_768, 131_072]],
  ])('on a Mac with %i GB and a %s model', (gib, size, expected) => {
    expect(pair(QWEN_3B, HEAVY[size], gib)).toEqual(expected);
  });

  const classes = [8, 16, 24, 32, 36, 48, 64, 96, 128, 192, 256, 512];
  const pairs = classes.flatMap((gib) =>
    [QWEN_3B, PHI].flatMap((light) => Object.values(HEAVY).map((heavy) => [gib, light, heavy] as const)),
  );

  it.each(pairs)('%i GB: both are admitted together, and a longer one is not', (gib, light, heavy) => {
    const [first, second] = pair(light, heavy, gib);
    const holds = (a: number, b: number) =>
      holdsTogether(quiet(gib), [
        { ...light, contextTokens: a },
        { ...heavy, contextTokens: b },
      ]);
    const agents = ({ contextLength }: ContextModel) => Math.min(16_384, contextLength);
    if (!holds(agents(light), agents(heavy))) {
      // Then one of them is unloaded for the other, which gets no more than agents need.
      expect(first).toBeLessThanOrEqual(16_384);
      expect(second).toBeLessThanOrEqual(16_384);
      return;
    }
    expect(first).toBeGreaterThanOrEqual(agents(light));
    expect(second).toBeGreaterThanOrEqual(agents(heavy));
    expect(holds(first, second)).toBe(true);
    const more = Math.min(second + 1_024, heavy.contextLength);
    expect(more === second || !holds(first, more)).toBe(true);
  });
});

describe('a pinned context', () => {
  it('is the most that fits alone while the other server has no model', () => {
    expect(pinnedContext(HEAVY['7B'], null, quiet(64))).toBe(131_072);
    expect(pinnedContext(HEAVY['32B'], null, quiet(32))).toBeGreaterThan(0);
  });

  it('never exceeds what the model supports, even below what agents need', () => {
    expect(pair(PHI, HEAVY['7B'], 512)).toEqual([4_096, 131_072]);
  });

  it('has an upper bound of its bytes if the shape of the cache is unknown', () => {
    const unknown = model(OLLAMA_BEHAVIOUR, 4.7, null, 131_072);
    const tokens = pinnedContext(unknown, null, quiet(32));
    expect(tokens).toBeLessThan(pinnedContext(HEAVY['7B'], null, quiet(32)));
    expect(tokens).toBeGreaterThanOrEqual(16_384);
  });

  it('is at least what Ollama takes by default, where nothing fits', () => {
    expect(pinnedContext(HEAVY['70B'], { ...QWEN_3B, isFirst: true }, quiet(8))).toBe(4_096);
  });
});

/** The account of a machine on which a model is loaded and answers nothing. */
function accountWith(status: MemoryStatus, loaded: ContextModel | null, bytes: number) {
  const size = { bytes, source: 'test', at: 0 };
  const none = { bytes: null, source: 'test', at: 0 };
  const idle = { ready: true, ours: true, active: 0, lastUsedAt: null };
  const holder = (backend: string, behaviour: MemoryBehaviour) => {
    const has = loaded?.behaviour === behaviour;
    return {
      backend,
      behaviour,
      figures: {
        process: has ? size : none,
        inside: { weights: null, kvCache: null, buffers: null },
        peak: null,
        device: { workingSet: null, buffer: null },
      },
      loaded: has ? [{ name: 'loaded', size, ...idle }] : [],
    };
  };
  return ledgerAccount(status, [holder('mlx', MLX_BEHAVIOUR), holder('ollama', OLLAMA_BEHAVIOUR)]);
}

describe('the ledger on a quiet machine', () => {
  const bytesOf = ({ needs }: ContextModel, tokens: number) =>
    (needs.weightsBytes ?? 0) +
    contextCost({ sizeBytes: needs.weightsBytes, kvBytesPerToken: needs.kvBytesPerToken }, tokens);

  it.each([16, 32, 64, 128, 512])('admits both models of a pair in either order on %i GB', (gib) => {
    const light = QWEN_3B;
    const heavy = gib < 32 ? HEAVY['7B'] : HEAVY['14B'];
    const [first, second] = pair(light, heavy, gib);
    const total = gib * GIB;
    const orders = [
      [light, first, heavy, second],
      [heavy, second, light, first],
    ] as const;
    for (const [loaded, loadedTokens, wanted, tokens] of orders) {
      const held = bytesOf(loaded, loadedTokens);
      const usedBytes = 1.6 * GB + total * 0.12 + held;
      const account = accountWith(statusOf(total, usedBytes), loaded, held);
      const backend = wanted.behaviour === MLX_BEHAVIOUR ? 'mlx' : 'ollama';
      const { needs } = wanted;
      const wish = {
        ...{ backend, model: 'wanted', purpose: 'request' as const, needs, tokens, contextTokens: tokens },
        ...{ expectedS: null, mayMove: true, overruled: false },
      };
      const decision = decide(wish, { account, critical: false, now: 0 });
      expect(decision.kind, `${gib} GB, ${backend} last`).toBe('admit');
    }
  });
});

function statusOf(totalBytes: number, usedBytes: number): MemoryStatus {
  return {
    ...{ totalBytes, usedBytes, usedPercent: (usedBytes / totalBytes) * 100, pressure: 'normal' },
    ...{ warningPercent: 85, criticalPercent: 95, backendBytes: {}, source: 'test', at: 0 },
  };
}
