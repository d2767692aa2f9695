import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/main/memory/guard';
import { ledgerAccount } from '../../../src/main/memory/ledger';
import { runningBytes } from '../../../src/main/memory/needed-bytes';
import { pinnedContext } from '../../../src/main/memory/pinned-context';
import { holdsTogether, type PlannedModel, type QuietMachine } from '../../../src/main/memory/quiet-machine';
import { propose } from '../../../src/main/models/catalogue';
import { CATALOGUE } from '../../../src/main/models/catalogue-table';
import { pairsThatFit, plannedModel } from '../../../src/main/models/pair';
import { PURPOSES } from '../../../src/shared/models';
import { PAIR_SERVERS } from '../../bench/memory/pairs';
import { MEMORY_CLASSES } from '../../bench/memory/published-macs';

const GIB = 2 ** 30;
const { light: mlx, heavy: ollama } = PAIR_SERVERS;

const mac = (gib: number): QuietMachine => ({ totalBytes: gib * GIB, criticalPercent: 95 });

function proposal(gib: number, more: Partial<Parameters<typeof propose>[0]> = {}) {
  return propose({ machine: mac(gib), ...PAIR_SERVERS, diskFreeBytes: null, models: [], ...more });
}

const names = (pair: ReturnType<typeof proposal>['pair']) =>
  pair && [pair.light?.name.split('/').at(-1), pair.heavy?.name];

describe('the table', () => {
  it('has models for every purpose, each once, with their source', () => {
    expect(new Set(CATALOGUE.map(({ purpose }) => purpose))).toEqual(new Set(PURPOSES));
    expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length);
    for (const { source, lookedUp } of CATALOGUE) {
      expect(source.length).toBeGreaterThan(10);
      expect(lookedUp).toMatch(/^2026-\d\d-\d\d$/);
    }
  });

  it('has light models of at most 4B parameters only, as MLX gets no others', () => {
    for (const row of CATALOGUE) {
      expect(row.purpose === 'light').toBe(row.name.startsWith('mlx-community/'));
      if (row.purpose === 'light') expect(row.billions).toBeLessThanOrEqual(4);
    }
  });

  it('has a download size that agrees with the parameters', () => {
    for (const { name, sizeBytes, billions } of CATALOGUE) {
      const bitsPerWeight = (sizeBytes * 8) / (billions * 1e9);
      // Embedding models are not quantised; small models have large embeddings.
      expect(bitsPerWeight, name).toBeGreaterThan(4);
      expect(bitsPerWeight, name).toBeLessThan(17);
    }
  });
});

describe('the pair for a Mac', () => {
  it.each([
    [8, ['Qwen2.5-0.5B-Instruct-4bit', 'qwen3.5:4b']],
    [16, ['Qwen2.5-1.5B-Instruct-4bit', 'qwen3.5:9b']],
    [24, ['Qwen3-4B-Instruct-2507-4bit', 'qwen3.5:9b']],
    [32, ['Qwen2.5-1.5B-Instruct-4bit', 'qwen3.8:27b']],
    [48, ['Qwen3-4B-Instruct-2507-4bit', 'qwen3.8:27b']],
    [64, ['Qwen3-4B-Instruct-2507-4bit', 'qwen3.8:27b']],
    [96, ['Qwen3-4B-Instruct-2507-4bit', 'qwen3.8:27b']],
    [128, ['Qwen3-4B-Instruct-2507-4bit', 'qwen3.5:122b']],
    [192, ['Qwen3-4B-Instruct-2507-4bit', 'qwen3.5:122b']],
    [256, ['Qwen3-4B-Instruct-2507-4bit', 'qwen3.5:122b']],
    [512, ['Qwen3-4B-Instruct-2507-4bit', 'qwen3.5:122b']],
  ])('with %i GB is %j', (gib, pair) => {
    expect(MEMORY_CLASSES).toContain(gib);
    expect(names(proposal(gib).pair)).toEqual(pair);
  });

  it.each(MEMORY_CLASSES)('with %i GB is admitted by the guard, with the context that agents need', (gib) => {
    const [pair] = pairsThatFit(mac(gib), PAIR_SERVERS);
    if (!pair?.light || !pair.heavy || !mlx || !ollama) throw new Error('no pair');
    expect(pair.contextTokens).toBe(16_384);
    const light = plannedModel(pair.light, mlx, pair.contextTokens);
    const heavy = plannedModel(pair.heavy, ollama, pair.contextTokens);
    // A preload at start; then the other model while the first one answers, in both orders.
    expect(admission(gib, [], light, 'preload')).toBe('admit');
    expect(admission(gib, [light], heavy, 'request')).toBe('admit');
    expect(admission(gib, [heavy], light, 'request')).toBe('admit');
    expect(admission(gib, [heavy], light, 'restart')).toBe('admit');
    // Both are loaded, and each gets a request that fills its context.
    const idle = { ...light, contextTokens: 0 };
    expect(admission(gib, [idle, heavy], light, 'request')).toBe('admit');
    expect(admission(gib, [light, heavy], heavy, 'request')).toBe('admit');
  });

  it.each(MEMORY_CLASSES)('with %i GB gets contexts of at least 16k tokens once it is installed', (gib) => {
    const [pair] = pairsThatFit(mac(gib), PAIR_SERVERS);
    if (!pair?.light || !pair.heavy || !mlx || !ollama) throw new Error('no pair');
    const light = { ...plannedModel(pair.light, mlx, 0), contextLength: pair.light.contextLength };
    const heavy = { ...plannedModel(pair.heavy, ollama, 0), contextLength: pair.heavy.contextLength };
    const machine = mac(gib);
    expect(pinnedContext(light, { ...heavy, isFirst: false }, machine)).toBeGreaterThanOrEqual(16_384);
    expect(pinnedContext(heavy, { ...light, isFirst: true }, machine)).toBeGreaterThanOrEqual(16_384);
  });

  it('leaves out what is installed from the download, and offers a clearly smaller pair', () => {
    const { pair, smallerPair } = proposal(64);
    expect(pair?.downloadBytes).toBeCloseTo(19.27e9, -8);
    expect(names(smallerPair)).toEqual(['Qwen3-4B-Instruct-2507-4bit', 'qwen3.5:9b']);
    const models = [
      { backend: 'mlx', name: 'mlx-community/Qwen3-4B-Instruct-2507-4bit' },
      { backend: 'studio', name: 'qwen3.8:27b' },
    ];
    const known = proposal(64, { models });
    expect(known.pair?.downloadBytes).toBe(17e9);
    expect(known.pair?.light?.installed).toBe(true);
    expect(known.pair?.heavy?.installed).toBe(false);
    const all = proposal(64, { models: [...models, { backend: 'ollama', name: 'qwen3.8:27b' }] });
    expect(all.pair?.downloadBytes).toBe(0);
    expect(all.smallerPair).toBeNull();
  });

  it('fits on the disk', () => {
    expect(names(proposal(64, { diskFreeBytes: 20e9 }).pair)).toEqual(names(proposal(64).smallerPair));
  });

  it('is still the best one where the disk is too full for all, as memory is not short', () => {
    const full = proposal(64, { diskFreeBytes: 1e9 });
    const roomy = proposal(64);
    expect([names(full.pair), names(full.smallerPair)]).toEqual([
      names(roomy.pair),
      names(roomy.smallerPair),
    ]);
  });

  it('has one model where only one server runs', () => {
    expect(names(proposal(32, { light: null }).pair)).toEqual([undefined, 'qwen3.8:27b']);
    const { pair, suggestions } = proposal(32, { heavy: null });
    expect(names(pair)).toEqual(['Qwen3-4B-Instruct-2507-4bit', undefined]);
    expect(new Set(suggestions.map(({ backend }) => backend))).toEqual(new Set(['mlx']));
  });

  it('does not exist where the limits leave no memory', () => {
    const machine = { ...mac(8), criticalPercent: 30 };
    expect(proposal(8, { machine }).pair).toBeNull();
    expect(proposal(8, { machine }).suggestions).toEqual([]);
  });
});

describe('the suggestions', () => {
  it.each(MEMORY_CLASSES)('for %i GB have a model for every purpose, and none that cannot run', (gib) => {
    const { suggestions } = proposal(gib);
    expect(new Set(suggestions.map(({ purpose }) => purpose)).size).toBeGreaterThanOrEqual(5);
    if (gib >= 16) expect(new Set(suggestions.map(({ purpose }) => purpose))).toEqual(new Set(PURPOSES));
    for (const { name, purpose } of suggestions) {
      const row = CATALOGUE.find((each) => each.name === name);
      const server = purpose === 'light' ? mlx : ollama;
      if (!row || !server) throw new Error(name);
      expect(holdsTogether(mac(gib), [plannedModel(row, server, 16_384)])).toBe(true);
    }
  });

  it('say which models hardly run beside the light one', () => {
    const fits = Object.fromEntries(proposal(32).suggestions.map(({ name, fit }) => [name, fit]));
    expect(fits['qwen3.8:27b']).toBe('yes');
    expect(fits['qwen3.6:35b']).toBeUndefined();
    expect(fits['mlx-community/Qwen3-4B-Instruct-2507-4bit']).toBe('tight');
  });
});

/** What the system and a few programs hold on a Mac, and what Apple lets its GPU use. */
const OTHERS = { bytes: 1.6e9, share: 0.12 };
const gpuShare = (gib: number) => (gib <= 36 ? 2 / 3 : 3 / 4);

/** The guard's decision about a model while the others are loaded, with their contexts in use. */
function admission(
  gib: number,
  loaded: readonly PlannedModel[],
  model: PlannedModel,
  purpose: 'preload' | 'restart' | 'request',
): string {
  const { totalBytes } = mac(gib);
  const figure = (bytes: number | null) => ({ bytes, source: 'test', at: 0 });
  const sizeOf = (one: PlannedModel) => runningBytes({ needs: one.needs, tokens: one.contextTokens });
  const usedBytes =
    OTHERS.bytes + totalBytes * OTHERS.share + loaded.reduce((sum, one) => sum + sizeOf(one), 0);
  const holders = [mlx, ollama].flatMap((server) => {
    const own = loaded.find(({ behaviour }) => behaviour === server?.behaviour);
    const size = figure(own ? sizeOf(own) : null);
    const nothing = { weights: null, kvCache: null, buffers: null };
    const device = { workingSet: figure(totalBytes * gpuShare(gib)), buffer: null };
    const name = own && own.needs === model.needs ? 'this' : 'other';
    const one = { name, size, ready: true, ours: true, active: name === 'this' ? 0 : 1, lastUsedAt: null };
    return server
      ? [
          {
            ...server,
            figures: { process: size, inside: nothing, peak: null, device },
            loaded: own ? [one] : [],
          },
        ]
      : [];
  });
  const machine = {
    ...{ totalBytes, usedBytes, usedPercent: 0, warningPercent: 85, criticalPercent: 95 },
    ...{ pressure: 'normal' as const, source: 'test', at: 0, backendBytes: {} },
  };
  const backend = model.behaviour === mlx?.behaviour ? 'mlx' : 'ollama';
  const wish = {
    ...{ backend, model: 'this', needs: model.needs, purpose, expectedS: null },
    ...{ tokens: purpose === 'request' ? model.contextTokens : 0, mayMove: false, overruled: false },
  };
  return decide(wish, { account: ledgerAccount(machine, holders), critical: false, now: 0 }).kind;
}
