import { beforeEach, describe, expect, it } from 'vitest';
import { BackendRegistry } from '../../../src/main/backends/registry';
import { ModelManager } from '../../../src/main/model-manager/model-manager';
import type { CompletionRequest } from '../../../src/shared/completion';
import { TandemError } from '../../../src/shared/errors';
import { modelChoices } from '../../../src/shared/model-choices';
import { defaultSettings, type SettingKey } from '../../../src/shared/settings';
import { FakeClock } from '../../support/fake-clock';
import { model, ScriptedBackend } from '../../support/scripted-backend';
import { HeldBackend, held } from './held-backend';

let mlx: HeldBackend;
let ollama: HeldBackend;
let plain: ScriptedBackend;
let requests: CompletionRequest[];
let refusal: TandemError | null;
let written: [SettingKey, unknown][];
let manager: ModelManager;
let settings: ReturnType<typeof defaultSettings>;

beforeEach(() => {
  const clock = new FakeClock();
  mlx = new HeldBackend('mlx', clock);
  ollama = new HeldBackend('ollama', clock);
  plain = new ScriptedBackend('cloudy', clock);
  [requests, written, refusal, settings] = [[], [], null, defaultSettings()];
  manager = new ModelManager({
    registry: new BackendRegistry([mlx, ollama, plain]),
    dispatcher: {
      async *dispatch(request) {
        requests.push(request);
        if (refusal) throw refusal;
        yield { type: 'routed', category: 'general', reasons: [] };
      },
    },
    models: () => [model('mlx', 'light-3b', 3), model('ollama', 'coder:32b', 32)],
    settings: { set: async (key, value) => void written.push([key, value]), values: () => settings },
    settingFor: (backend, category) => modelChoices(backend, settings)[category] ?? null,
  });
});

describe('loading a model', () => {
  it('is a request without a message to exactly this model', async () => {
    await manager.load({ backend: 'mlx', name: 'light-3b' });
    expect(requests).toMatchObject([
      { model: { kind: 'named', name: 'light-3b', backend: 'mlx' }, messages: [], strict: true },
    ]);
  });

  it('fails with the reason of the memory guard, and for a server that is not there', async () => {
    refusal = new TandemError('memory_critical', 'too large');
    await expect(manager.load({ backend: 'mlx', name: 'light-3b' })).rejects.toBe(refusal);
    await expect(manager.load({ backend: 'gone', name: 'x' })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('unloading', () => {
  it('frees one model, and none that is in use', async () => {
    ollama.held = [held('coder:32b', 20e9), held('other', 1e9, { active: 1 })];
    await manager.unload({ backend: 'ollama', name: 'coder:32b' });
    expect(ollama.held.map(({ name }) => name)).toEqual(['other']);
    await expect(manager.unload({ backend: 'ollama', name: 'other' })).rejects.toMatchObject({
      code: 'busy',
    });
    await expect(manager.unload({ backend: 'cloudy', name: 'x' })).rejects.toMatchObject({
      code: 'unsupported',
    });
  });

  it('of everything idle says how much it freed, and leaves what is in use or is not ours', async () => {
    mlx.held = [held('light-3b', 2e9)];
    ollama.held = [
      held('coder:32b', 20e9),
      held('answering', 5e9, { active: 1 }),
      held('loading', 5e9, { ready: false }),
      held('somebody’s', 5e9, { ours: false }),
    ];
    expect(await manager.free()).toEqual({ models: 2, bytes: 22e9 });
    expect(mlx.held).toEqual([]);
    expect(ollama.held.map(({ name }) => name)).toEqual(['answering', 'loading', 'somebody’s']);
    expect(await manager.free()).toEqual({ models: 0, bytes: 0 });
  });

  it('of a model of unknown size frees an unknown number of bytes; a server that is down is left alone', async () => {
    ollama.held = [held('coder:32b', null)];
    expect(await manager.free()).toEqual({ models: 1, bytes: null });
    mlx.held = [held('light-3b', 2e9)];
    mlx.state = 'backoff';
    expect(await manager.free()).toEqual({ models: 0, bytes: 0 });
  });
});

describe('a server that fails to unload', () => {
  it('hides neither what was freed before nor skips the others', async () => {
    mlx.held = [held('light-3b', 2e9)];
    ollama.held = [held('coder:32b', 20e9)];
    const failure = new TandemError('timeout', 'It did not answer.');
    mlx.freeModel = () => Promise.reject(failure);
    expect(await manager.free()).toEqual({ models: 1, bytes: 20e9 });
    expect(ollama.held).toEqual([]);
    await expect(manager.free()).rejects.toBe(failure);
  });
});

describe('using a model for a category', () => {
  it.each([
    ['mlx', 'greeting', 'light-3b', 'mlxModelFast'],
    ['ollama', 'fast', 'coder:32b', 'ollamaModelFast'],
    ['ollama', 'coding', 'coder:32b', 'ollamaModelCoding'],
    ['ollama', 'data_question', 'coder:32b', 'ollamaModelGeneral'],
    ['ollama', 'reasoning', null, 'ollamaModelReasoning'],
  ] as const)('%s %s %s sets %s', async (backend, category, name, key) => {
    await manager.use(backend, category, name);
    expect(written).toEqual([[key, name]]);
  });

  it('does not give tasks to MLX while it does light work only', async () => {
    await expect(manager.use('mlx', 'coding', 'light-3b')).rejects.toMatchObject({ code: 'unsupported' });
    settings.mlxOnlyLight = false;
    await manager.use('mlx', 'coding', 'light-3b');
    await manager.use('mlx', 'general', 'light-3b');
    expect(written.map(([key]) => key)).toEqual(['mlxModelCoding', 'mlxModelDefault']);
  });

  it('needs an installed model of that server, which has such a choice', async () => {
    await expect(manager.use('ollama', 'coding', 'light-3b')).rejects.toMatchObject({
      code: 'model_not_found',
    });
    await expect(manager.use('cloudy', 'coding', null)).rejects.toMatchObject({ code: 'unsupported' });
    expect(written).toEqual([]);
  });
});

describe('the context of a model', () => {
  it('is one entry of the setting; null removes it', async () => {
    settings.contextLengths = { 'mlx/light-3b': 4096 };
    await manager.setContext({ backend: 'ollama', name: 'coder:32b' }, 32_768);
    await manager.setContext({ backend: 'mlx', name: 'light-3b' }, null);
    expect(written).toEqual([
      ['contextLengths', { 'mlx/light-3b': 4096, 'ollama/coder:32b': 32_768 }],
      ['contextLengths', {}],
    ]);
    await expect(manager.setContext({ backend: 'mlx', name: 'gone' }, 4096)).rejects.toMatchObject({
      code: 'model_not_found',
    });
  });
});
