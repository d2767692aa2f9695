import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/main/backends/backend';
import { MLX_BEHAVIOUR } from '../../../src/main/backends/mlx/mlx-backend';
import { OLLAMA_BEHAVIOUR } from '../../../src/main/backends/ollama/ollama-options';
import { ModelContexts } from '../../../src/main/core/contexts';
import { defaultSettings, type Settings } from '../../../src/shared/settings';
import { routeBackend } from '../../support/backends';
import { model } from '../../support/scripted-backend';

const GIB = 2 ** 30;
const QWEN_3B = model('mlx', 'qwen2.5-3b-4bit', 3, {
  ...{ sizeBytes: 1.74e9, kvBytesPerToken: 36_864, contextLength: 32_768 },
});
const CODER_14B = model('ollama', 'qwen2.5-coder:14b', 14, {
  ...{ sizeBytes: 9e9, kvBytesPerToken: 196_608, contextLength: 131_072 },
});
const CODER_7B = model('ollama', 'qwen2.5-coder:7b', 7, {
  ...{ sizeBytes: 4.7e9, kvBytesPerToken: 57_344, contextLength: 131_072 },
});

/** The contexts on a machine with 32 GB; a test changes what they follow from. */
function setUp(installed = [QWEN_3B, CODER_14B, CODER_7B]) {
  const world = {
    settings: defaultSettings() as Settings,
    models: installed,
    totalBytes: (32 * GIB) as number | null,
    remote: '',
    foreign: new Map<string, number>(),
  };
  const servers: Record<string, object> = {
    mlx: { behaviour: MLX_BEHAVIOUR },
    ollama: { behaviour: OLLAMA_BEHAVIOUR, foreignContexts: () => world.foreign },
  };
  const contexts = new ModelContexts({
    settings: () => world.settings,
    models: () => world.models,
    totalBytes: () => world.totalBytes,
    snapshot: (models) => ({
      settings: world.settings,
      backends: [routeBackend('mlx', {}, world.settings), routeBackend('ollama', {}, world.settings)],
      models,
      memory: 'normal',
    }),
    backend: (id) => servers[id] as unknown as Backend,
    isHere: (id) => id !== world.remote,
  });
  const pinned = () =>
    Object.fromEntries(contexts.models().map(({ name, pinnedContext }) => [name, pinnedContext]));
  return { world, contexts, pinned };
}

describe('pinned contexts', () => {
  it('follow from the other server’s preferred model, the machine and the model', () => {
    const { world, pinned } = setUp();
    const both = pinned();
    expect(both).toEqual({ [QWEN_3B.name]: 32_768, [CODER_14B.name]: 41_984, [CODER_7B.name]: 131_072 });
    world.models = [CODER_14B, CODER_7B];
    expect(pinned()[CODER_14B.name]).toBeGreaterThan(both[CODER_14B.name] ?? 0);
    world.totalBytes = 64 * GIB;
    expect(pinned()).toEqual({ [CODER_14B.name]: 131_072, [CODER_7B.name]: 131_072 });
  });

  it('stay the same list until one of these changes', () => {
    const { world, contexts } = setUp();
    const before = contexts.models();
    expect(contexts.models()).toBe(before);
    world.settings = { ...world.settings, theme: 'dark' };
    expect(contexts.models()).toEqual(before);
  });

  it('do not depend on what a server has reported about the GPU', () => {
    const { world, contexts } = setUp();
    const before = contexts.models().map(({ pinnedContext }) => pinnedContext);
    world.models = world.models.map((one) => ({ ...one, fit: 'no' as const }));
    expect(contexts.models().map(({ pinnedContext }) => pinnedContext)).toEqual(before);
  });

  it('are what the user sets, up to what the model supports, also on another machine', () => {
    const { world, pinned } = setUp();
    world.remote = 'ollama';
    world.settings = {
      ...world.settings,
      contextLengths: { 'ollama/qwen2.5-coder:14b': 8192, 'mlx/qwen2.5-3b-4bit': 65_536 },
    };
    expect(pinned()).toEqual({
      [QWEN_3B.name]: 32_768,
      [CODER_14B.name]: 8192,
      // The memory of the other machine is unknown.
      [CODER_7B.name]: undefined,
    });
  });

  it('are those of the other server where a model is loaded that is not ours', () => {
    const { world, pinned } = setUp();
    const before = pinned();
    world.foreign.set(CODER_7B.name, 4096);
    expect(pinned()).toEqual({ ...before, [CODER_7B.name]: 4096 });
    world.foreign.clear();
    expect(pinned()).toEqual(before);
  });

  it.each([
    ['the machine', {}, null],
    ['the size of the model', { sizeBytes: null }, 32 * GIB],
    ['what the model supports', { contextLength: null }, 32 * GIB],
  ])('are unknown without %s', (_what, facts, totalBytes) => {
    const { world, pinned } = setUp([{ ...CODER_7B, ...facts }]);
    world.totalBytes = totalBytes;
    expect(pinned()).toEqual({ [CODER_7B.name]: undefined });
  });

  it('are set for no model that cannot chat, nor by a name of the prototype', () => {
    const { pinned } = setUp([
      { ...CODER_7B, capabilities: ['embedding'] },
      model('ollama', 'constructor', 7, { sizeBytes: null }),
    ]);
    expect(pinned()).toEqual({ [CODER_7B.name]: undefined, constructor: undefined });
  });
});
