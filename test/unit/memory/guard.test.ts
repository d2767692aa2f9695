import { describe, expect, it } from 'vitest';
import type { GuardView, MemoryWish } from '../../../src/main/memory/decision';
import { decide, mustStopPreload, standingRefusal } from '../../../src/main/memory/guard';
import { relief } from '../../../src/main/memory/idle-models';
import type { Promised } from '../../../src/main/memory/ledger';
import type { LoadedModel } from '../../../src/main/memory/types';
import type { MemoryStatus } from '../../../src/shared/status';
import { account, GB, machine, model, NOW } from './figures';

/** A 4-bit 3B model: 2 GB of weights, 36 layers with 2 small heads. */
function wish(more: Partial<MemoryWish> = {}, weightsGb: number | null = 2): MemoryWish {
  return {
    backend: 'mlx',
    model: 'small',
    purpose: 'request',
    needs: {
      weightsBytes: weightsGb === null ? null : weightsGb * GB,
      largestTensorBytes: 0.3 * GB,
      kvBytesPerToken: 36_864,
    },
    tokens: 4096,
    expectedS: 5,
    mayMove: true,
    overruled: false,
    ...more,
  };
}

type Servers = { mlx?: LoadedModel[]; ollama?: LoadedModel[] };

function view(status: MemoryStatus, servers: Servers = {}, critical = false): GuardView {
  return { account: account(status, servers), critical, now: NOW };
}

/** A decision in one line. */
function said(asked: MemoryWish, seen: GuardView): string {
  const decision = decide(asked, seen);
  if (decision.kind === 'admit') return 'admit';
  const models = decision.kind === 'evict' ? ` ${decision.models.map((one) => one.model).join('+')}` : '';
  return `${decision.kind} ${decision.rule}${models}`;
}

const inUse = { active: 1 };
const justUsed = { lastUsedAt: NOW - 29_000 };
const foreign = { ours: false };

describe('a load on the server that dies from lack of memory', () => {
  it.each<[string, MemoryWish, GuardView, string]>([
    ['fits', wish(), view(machine(32, 12)), 'admit'],
    ['fits next to a big one', wish(), view(machine(64, 30), { ollama: [model('big', 20)] }), 'admit'],
    ['weights of unknown size fit while memory is fine', wish({}, null), view(machine(32, 12)), 'admit'],
    ['alone above 75 % of memory', wish({}, 26), view(machine(32, 4)), 'refuse working_set'],
    [
      'beside an idle one of ours',
      wish({}, 18),
      view(machine(32, 20), { ollama: [model('old', 14)] }),
      'evict working_set old',
    ],
    [
      'beside one that answers',
      wish({}, 18),
      view(machine(32, 20), { ollama: [model('old', 14, inUse)] }),
      'refuse working_set',
    ],
    [
      'beside one that answered 29 s ago',
      wish({}, 18),
      view(machine(32, 20), { ollama: [model('old', 14, justUsed)] }),
      'refuse working_set',
    ],
    [
      'beside one that others loaded',
      wish({}, 18),
      view(machine(32, 20), { ollama: [model('old', 14, foreign)] }),
      'refuse working_set',
    ],
    ['would end above 95 %', wish(), view(machine(32, 29)), 'refuse critical'],
    [
      'would end above 95 %, something idle',
      wish(),
      view(machine(32, 29), { ollama: [model('idle', 5)] }),
      'evict critical idle',
    ],
    [
      'what is idle is too little',
      wish(),
      view(machine(32, 30.3), { ollama: [model('idle', 0.5)] }),
      'refuse critical',
    ],
    ['memory has been critical and is not back', wish(), view(machine(32, 29), {}, true), 'refuse critical'],
    ['nobody else could answer', wish({ mayMove: false }), view(machine(32, 29)), 'wait critical'],
    ['the user overrules', wish({ overruled: true }), view(machine(32, 31), {}, true), 'admit'],
    ['the user overrules the working set', wish({ overruled: true }, 26), view(machine(32, 4)), 'admit'],
  ])('%s', (_name, asked, seen, expected) => {
    expect(said(asked, seen)).toBe(expected);
  });

  it('rejects an array that fits in no buffer', () => {
    const asked = wish({
      needs: { weightsBytes: 40 * GB, largestTensorBytes: 28 * GB, kvBytesPerToken: null },
    });
    // 48 GB: 36 for the GPU, 27 in one buffer, as reported by an M4 Pro.
    expect(said(asked, view(machine(48, 4)))).toBe('refuse buffer_limit');
  });

  it('evicts the least recently used first, and no more than needed', () => {
    const ollama = [
      model('recent', 4, { lastUsedAt: NOW - 40_000 }),
      model('oldest', 4, { lastUsedAt: NOW - 90_000 }),
      model('older', 4, { lastUsedAt: NOW - 70_000 }),
    ];
    expect(said(wish({}, 12), view(machine(32, 18), { ollama }))).toBe('evict working_set oldest');
    expect(said(wish({}, 15), view(machine(32, 18), { ollama }))).toBe('evict working_set oldest+older');
  });

  it.each<[string, Servers, string]>([
    ['another model answers', { mlx: [model('other', 2, inUse)] }, 'wait busy'],
    ['another model is being loaded', { mlx: [model('other', 2, { ready: false })] }, 'wait busy'],
    ['another model is idle', { mlx: [model('other', 2)] }, 'admit'],
    ['the same model answers', { mlx: [model('small', 2, inUse)] }, 'admit'],
    ['the other server answers', { ollama: [model('other', 2, inUse)] }, 'admit'],
  ])('never loads and answers at once: %s', (_name, servers, expected) => {
    expect(said(wish(), view(machine(32, 10), servers))).toBe(expected);
  });

  it('does not let the user overrule a collision', () => {
    const servers = { mlx: [model('other', 2, inUse)] };
    expect(said(wish({ overruled: true }), view(machine(32, 10), servers))).toBe('wait busy');
  });
});

describe('an answer of a loaded model', () => {
  const loaded = { mlx: [model('small', 2)] };
  it.each<[string, GuardView, string]>([
    ['has room', view(machine(32, 20), loaded), 'admit'],
    ['its cache would end above 95 %', view(machine(32, 29.9), loaded), 'refuse critical'],
    ['memory is critical', view(machine(32, 30.6), loaded, true), 'refuse critical'],
    [
      'memory is critical, something idle',
      view(machine(32, 30.6), { ...loaded, ollama: [model('idle', 6)] }, true),
      'evict critical idle',
    ],
    [
      'a model that does not fit in theory is there',
      view(machine(32, 20), { mlx: [model('small', 25)] }),
      'admit',
    ],
  ])('%s', (_name, seen, expected) => {
    expect(said(wish(), seen)).toBe(expected);
  });
});

describe('a second request for a model that is loading', () => {
  const load: Promised = {
    ...{ backend: 'mlx', model: 'small', bytes: 12 * GB, load: true },
    ...{ heldBefore: 0, usedBefore: 12 * GB, at: NOW },
  };
  const seen = (promised: Promised, used = 12): GuardView => ({
    account: account(machine(32, used), {}, [promised]),
    critical: false,
    now: NOW,
  });

  it('requires only cache and workspace', () => {
    // 4096 tokens of 36,864 bytes, and 4 % of the weights.
    expect(decide(wish({}, 10), seen(load))).toEqual({
      kind: 'admit',
      promiseBytes: 4096 * 36_864 + 0.4 * GB,
    });
    expect(said(wish({ model: 'other' }, 10), seen(load))).toBe('refuse critical');
  });

  it('requires nothing where a load takes the whole context', () => {
    const heavy = wish({ backend: 'ollama' }, 10);
    expect(decide(heavy, seen({ ...load, backend: 'ollama' }, 31))).toEqual({
      kind: 'admit',
      promiseBytes: 0,
    });
  });

  it('still needs room for its own cache', () => {
    expect(said(wish({}, 10), seen(load, 17))).toBe('admit');
    expect(said(wish({}, 10), seen(load, 17.5))).toBe('refuse critical');
  });

  it('requires all of it while the load only waits', () => {
    expect(said(wish({}, 10), seen({ ...load, usedBefore: null }))).toBe('refuse critical');
  });
});

describe('the reserve for a server that dies from lack of memory', () => {
  const loaded = { mlx: [model('small', 2)] };
  const at = (used: number, servers: Servers, rising = 0): GuardView => {
    const seen = view(machine(100, used), servers);
    return { ...seen, account: { ...seen.account, risingBytesPerS: rising * GB } };
  };
  it.each<[string, MemoryWish, GuardView, string]>([
    // The limit is 95 less a reserve of 2; the cache and the workspace of 'small' take 0.35.
    ['nothing more for a short answer', wish(), at(92.5, loaded), 'admit'],
    ['the reserve', wish(), at(93, loaded), 'refuse critical'],
    ['four seconds of a rise that is under way', wish(), at(80, loaded, 3), 'admit'],
    ['four seconds of a fast one', wish(), at(80, loaded, 3.5), 'refuse critical'],
    ['0.2 % a second of long work', wish({ expectedS: 40 }), at(88.5, loaded), 'admit'],
    ['for longer work more', wish({ expectedS: 45 }), at(88.5, loaded), 'refuse critical'],
    ['never more than 8 % for that', wish({ expectedS: 4000 }), at(84.5, loaded), 'admit'],
    // A load of 10 GB with its workspace is 11.6; with two fifths more it is 16.2.
    ['two fifths of a load', wish({}, 10), at(76.5, {}), 'admit'],
    ['two fifths of a load, not to be had', wish({}, 10), at(77, {}), 'refuse critical'],
    [
      'the other one’s part of the GPU',
      wish(),
      at(60, { mlx: [model('small', 8)], ollama: [model('big', 62, inUse)] }),
      'refuse working_set',
    ],
  ])('%s', (_name, asked, seen, expected) => {
    expect(said(asked, seen)).toBe(expected);
  });
});

describe('the server that does not die from lack of memory', () => {
  const heavy = wish({ backend: 'ollama', model: 'heavy' }, 20);
  it.each<[string, GuardView, string]>([
    ['has room', view(machine(64, 10)), 'admit'],
    ['is never refused', view(machine(32, 31), {}, true), 'admit'],
    [
      'makes room for itself',
      view(machine(32, 26), { ollama: [model('idle', 17)] }),
      'evict working_set idle',
    ],
    [
      'waits for an answer that its load would kill',
      view(machine(32, 20), { mlx: [model('small', 2, inUse)] }),
      'wait protect',
    ],
    [
      'waits for nobody when its model is there',
      view(machine(32, 28), { ollama: [model('heavy', 20)], mlx: [model('small', 2, inUse)] }),
      'admit',
    ],
  ])('%s', (_name, seen, expected) => {
    expect(said(heavy, seen)).toBe(expected);
  });
});

describe('a preload', () => {
  it.each<[number, string]>([
    [20, 'admit'],
    [69, 'admit'],
    [70.1, 'refuse preload'],
    // 70 GB and 2.5 GB to come stay below 75.
    [70, 'admit'],
    // It would end above 75 %.
    [73, 'refuse preload'],
  ])('at %d %% used: %s', (percent, expected) => {
    expect(said(wish({ purpose: 'preload' }), view(machine(100, percent)))).toBe(expected);
  });

  it('stops above 75 %', () => {
    expect(mustStopPreload(account(machine(100, 75)))).toBe(false);
    expect(mustStopPreload(account(machine(100, 75.1)))).toBe(true);
  });
});

describe('without a request', () => {
  const idle = [model('a', 4, { lastUsedAt: NOW - 90_000 }), model('b', 8)];

  it('evicts when critical until memory is below the warning', () => {
    // 32 GB: warning at 27.2.
    const seen = (used: number) =>
      relief(view(machine(32, used), { ollama: idle }, true)).map((one) => one.model);
    expect(seen(30.5)).toEqual(['a']);
    expect(seen(31.9)).toEqual(['a', 'b']);
  });

  it.each([
    ['in use', inUse],
    ['just used', justUsed],
    ['of others', foreign],
  ])('keeps what is %s', (_name, state) => {
    expect(relief(view(machine(32, 31), { ollama: [model('a', 4, state)] }, true))).toEqual([]);
  });

  it('evicts nothing while memory is not critical', () => {
    expect(relief(view(machine(32, 29), { ollama: idle }))).toEqual([]);
  });
});

it('reports the sum of a rejection', () => {
  const refused = standingRefusal(wish({ tokens: 1000 }, 26), account(machine(32, 4)));
  // 1000 tokens are 4 steps of 256, each token 2 x 36 x 2 x 128 x 2 bytes.
  expect(refused).toEqual({
    kind: 'refuse',
    rule: 'working_set',
    neededBytes: 26 * GB + 1024 * 36_864,
    freeBytes: 24 * GB,
  });
});
