import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ModelView } from '../../src/shared/models';
import { type App, ask, PATIENCE_MS, startApp } from '../support/app';
import { type ContractClient, connect } from '../support/contract-client';
import { createOllamaModel, withoutSmallModel } from '../support/counting-model';
import { FEW_WORDS } from '../support/counting-words';
import { SLOW, TINY, writeRandomModel } from '../support/random-model';

/** Loading, unloading and deleting models on the built host with both real servers. */
const FIRST = { backend: 'mlx', name: 'someone/First-1B-Instruct' };
const SECOND = { backend: 'mlx', name: 'someone/Second-1B-Instruct' };
const COUNTING = { backend: 'ollama', name: 'counting' };
const WAIT = { timeout: PATIENCE_MS, interval: 100 };

let folder: string;
let models: string;
let app: App;
let ui: ContractClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-manager-'));
  models = join(folder, 'models');
  const dataDir = join(folder, 'data');
  await writeRandomModel(join(models, FIRST.name), SLOW);
  await writeRandomModel(join(models, SECOND.name), TINY);
  await mkdir(dataDir);
  const values = { smallModel: false, modelFolders: [models], mlxModelFast: FIRST.name };
  await writeFile(join(dataDir, 'settings.json'), JSON.stringify({ version: 1, values }));
  await withoutSmallModel(dataDir);
  app = await startApp({ dataDir });
  ui = await connect(app.ready.web);
  const { url } = (await app.health()).backends.ollama ?? {};
  if (!url) throw new Error('Ollama has no address');
  await createOllamaModel(url, join(folder, 'weights'), FEW_WORDS);
  await ui.value('modelsRescan', {});
});
afterAll(async () => {
  await app?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function view({ backend, name }: { backend: string; name: string }): Promise<ModelView | undefined> {
  return (await ui.snapshot()).models.find((model) => model.backend === backend && model.name === name);
}

const loadOf = async (model: { backend: string; name: string }) => (await view(model))?.load;

describe('models in memory', () => {
  it('are loaded by name: MLX drops the one that it had', async () => {
    expect(await view(FIRST)).toMatchObject({ load: 'loaded', owner: 'folder', hasFolder: true });
    await ui.value('modelLoad', SECOND);
    await vi.waitFor(async () => {
      expect(await loadOf(SECOND)).toBe('loaded');
      expect(await loadOf(FIRST)).toBe('none');
    }, WAIT);
    expect((await view(SECOND))?.loadMs).toBeGreaterThanOrEqual(0);
    await ui.value('modelLoad', COUNTING);
    await vi.waitFor(async () => expect(await loadOf(COUNTING)).toBe('loaded'), WAIT);
  });

  it('are freed all at once, and are there again at the next request', async () => {
    await ui.value('modelLoad', SECOND);
    await ui.value('modelLoad', COUNTING);
    await vi.waitFor(async () => expect(await loadOf(COUNTING)).toBe('loaded'), WAIT);
    expect(await ui.value('memoryFree', {})).toMatchObject({ models: 2 });
    await vi.waitFor(async () => {
      expect([await loadOf(FIRST), await loadOf(SECOND), await loadOf(COUNTING)]).toEqual([
        ...['none', 'none', 'none'],
      ]);
    }, WAIT);
    expect((await app.health()).backends.mlx).toMatchObject({ state: 'ready', model: null });
    expect(await ui.value('memoryFree', {})).toEqual({ models: 0, bytes: 0 });
    const asked = { model: `mlx/${SECOND.name}`, headers: { 'x-tandem-strict': 'true' } };
    expect(await ask(app.ready.gateway, 'hello', asked)).toMatchObject({ status: 200, backend: 'mlx' });
  });

  it('are not unloaded or deleted while they answer', async () => {
    const controller = new AbortController();
    const answer = await fetch(`${app.ready.gateway}/api/generate`, {
      method: 'POST',
      headers: { 'x-tandem-strict': 'true' },
      body: JSON.stringify({
        model: `mlx/${FIRST.name}`,
        prompt: 'x',
        raw: true,
        options: { num_predict: 2000 },
      }),
      signal: controller.signal,
    });
    await answer.body?.getReader().read();
    expect(await ui.call('modelUnload', FIRST)).toMatchObject({ ok: false, error: { code: 'busy' } });
    const deletion = await ui.call('modelDelete', { ...FIRST, owner: 'folder' });
    expect(deletion).toMatchObject({ ok: false, error: { code: 'busy' } });
    expect(existsSync(join(models, FIRST.name, 'config.json'))).toBe(true);
    controller.abort();
    await vi.waitFor(async () => {
      expect(await ui.call('modelUnload', FIRST)).toMatchObject({ ok: true });
    }, WAIT);
    expect(await loadOf(FIRST)).toBe('none');
  });

  it('have a folder that only the desktop app can show', async () => {
    expect(await ui.call('modelReveal', FIRST)).toMatchObject({
      ok: false,
      error: { code: 'not_supported' },
    });
  });
});

describe('models on disk', () => {
  it('are deleted after a plan, with what takes over', async () => {
    const plan = await ui.value('modelDeletePlan', FIRST);
    expect(plan).toMatchObject({ owner: 'folder', place: models });
    expect(plan.stops).toContainEqual({ category: 'fast', next: SECOND.name });
    expect(plan.freedBytes).toBeGreaterThan(1e6);
    expect(plan.diskFreeBytes).toBeGreaterThan(0);
    const unseen = await ui.call('modelDelete', { ...FIRST, owner: 'huggingface' });
    expect(unseen).toMatchObject({ ok: false, error: { code: 'bad_request' } });
    await ui.value('modelDelete', { ...FIRST, owner: plan.owner });
    expect(existsSync(join(models, FIRST.name))).toBe(false);
    expect(await view(FIRST)).toBeUndefined();
    expect((await view(SECOND))?.usedFor).toContain('fast');
  });

  it('stay if their folder is a link out of its place', async () => {
    const outside = join(folder, 'outside', 'Linked-1B');
    await writeRandomModel(outside, TINY);
    await symlink(outside, join(models, 'Linked-1B'));
    await ui.value('modelsRescan', {});
    const linked = { backend: 'mlx', name: 'Linked-1B' };
    expect(await view(linked)).toMatchObject({ owner: 'folder' });
    expect(await ui.call('modelDelete', { ...linked, owner: 'folder' })).toMatchObject({
      ok: false,
      error: { code: 'not_deletable' },
    });
    expect(existsSync(join(outside, 'config.json'))).toBe(true);
  });

  it('of Ollama are deleted by Ollama, also when they are loaded', async () => {
    await ui.value('modelLoad', COUNTING);
    const plan = await ui.value('modelDeletePlan', COUNTING);
    expect(plan).toMatchObject({ owner: 'ollama', place: 'Ollama' });
    await ui.value('modelDelete', { ...COUNTING, owner: 'ollama' });
    expect(await view(COUNTING)).toBeUndefined();
    const { url } = (await app.health()).backends.ollama ?? {};
    const tags = (await (await fetch(`${url}/api/tags`)).json()) as { models: unknown[] };
    expect(tags.models).toEqual([]);
  });
});
