import { describe, expect, it } from 'vitest';
import { callHandler } from '../../../src/main/contract/binder';
import { silentLogger } from '../../../src/main/ports/logger';
import { coreFixture, UI } from '../../support/core-fixture';

const GIB = 2 ** 30;

async function running(...names: string[]) {
  const fixture = await coreFixture({}, { memory: { total: 64 * GIB, available: 40 * GIB } });
  await fixture.withModels(...names);
  const call = (name: string, input: unknown) =>
    callHandler(fixture.core.handlers, name, input, UI, { logger: silentLogger, checkOutput: true });
  return { ...fixture, call };
}

describe('the calls about models', () => {
  it.each<[string, object, string]>([
    ['modelLoad', { backend: 'gone', name: 'x' }, 'not_found'],
    ['modelLoad', { backend: 'ollama', name: 'gone:1b' }, 'model_not_found'],
    ['modelUnload', { backend: 'gone', name: 'x' }, 'not_found'],
    ['modelUse', { backend: 'mlx', category: 'coding', name: null }, 'unsupported'],
    ['modelUse', { backend: 'ollama', category: 'coding', name: 'gone:1b' }, 'model_not_found'],
    ['modelDeletePlan', { backend: 'ollama', name: 'gone:1b' }, 'model_not_found'],
    ['modelDelete', { backend: 'ollama', name: 'phi3.5:3.8b', owner: 'folder' }, 'bad_request'],
    ['modelReveal', { backend: 'ollama', name: 'phi3.5:3.8b' }, 'not_found'],
  ])('%s rejects %j with %s', async (name, input, code) => {
    const { call } = await running('phi3.5:3.8b');
    expect(await call(name, input)).toMatchObject({ ok: false, error: { code } });
  });

  it('choose a model, which the models show', async () => {
    const { call, until } = await running('phi3.5:3.8b', 'qwen2.5:3b');
    const model = { backend: 'ollama', name: 'qwen2.5:3b' };
    expect(await call('modelUse', { ...model, category: 'coding' })).toMatchObject({ ok: true });
    const { models, settings } = await until(({ models: now }) =>
      now.some(({ name, usedFor }) => name === model.name && usedFor.includes('coding')),
    );
    expect(settings.ollamaModelCoding.value).toBe('qwen2.5:3b');
    expect(models.find(({ name }) => name === 'phi3.5:3.8b')?.usedFor).not.toContain('coding');
  });

  it('refuse a choice that the environment makes', async () => {
    const { core, withModels } = await coreFixture({ OLLAMA_MODEL_CODING: 'phi3.5:3.8b' });
    await withModels('phi3.5:3.8b');
    const choice = { backend: 'ollama', category: 'coding', name: null } as const;
    await expect(core.handlers.modelUse(choice, UI)).rejects.toMatchObject({
      code: 'setting_from_environment',
    });
  });

  it('show the first start with its machine, until it is done, and again on request', async () => {
    const { call, until } = await running('phi3.5:3.8b');
    const { firstStart } = await until(({ firstStart: now }) => now.machine.totalBytes !== null);
    expect(firstStart).toMatchObject({ done: false, machine: { chip: 'Test M1', totalBytes: 64 * GIB } });
    expect(firstStart.found).toEqual([{ place: 'ollama', models: 1 }]);
    expect(firstStart.pair?.light?.backend).toBe('mlx');
    for (const done of [true, false]) {
      expect(await call('firstStartDone', { done })).toMatchObject({ ok: true });
      await until((snapshot) => snapshot.firstStart.done === done);
    }
  });
});
