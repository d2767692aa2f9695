import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BackendRegistry } from '../../../src/main/backends/registry';
import { ModelDeletion } from '../../../src/main/model-manager/deletion';
import { ModelViews } from '../../../src/main/model-manager/model-views';
import type { ModelPlace } from '../../../src/main/models/scan-result';
import { ModelUsage } from '../../../src/main/models/usage';
import { systemClock } from '../../../src/main/ports/clock';
import { nodeSpawner } from '../../../src/main/ports/node-spawner';
import type { RouteSnapshot } from '../../../src/main/router/types';
import { MeasuredTimes } from '../../../src/main/times/measured-times';
import type { ModelInfo } from '../../../src/shared/domain';
import { TandemError } from '../../../src/shared/errors';
import { defaultSettings } from '../../../src/shared/settings';
import { routeBackend } from '../../support/backends';
import { type BuiltEntry, buildEntry } from '../../support/build-worker';
import { FakeClock } from '../../support/fake-clock';
import { model } from '../../support/scripted-backend';
import { tempDir } from '../../support/temp-dir';
import { HeldBackend, held } from './held-backend';

let built: BuiltEntry;
beforeAll(async () => {
  built = await buildEntry('src/main/models/scan-child.ts');
});
afterAll(() => built.remove());

let mlx: HeldBackend;
let ollama: HeldBackend;
let models: ModelInfo[];
let place: ModelPlace;
let done: string[];
let ours: string[];
let deletion: ModelDeletion;
/** Rejects while the model is being downloaded. */
let clear: () => Promise<void>;
let views: ModelViews;

beforeEach(() => {
  const clock = new FakeClock();
  mlx = new HeldBackend('mlx', clock);
  ollama = new HeldBackend('ollama', clock);
  models = [
    model('mlx', 'light-3b', 3),
    model('mlx', 'tandem-small', 0.1, { small: true }),
    model('ollama', 'coder:32b', 32, { sizeBytes: 20e9 }),
    model('ollama', 'coder:14b', 14, { sizeBytes: 9e9 }),
  ];
  const root = join(tempDir(), 'hub');
  place = { owner: 'huggingface', root, path: join(root, 'models--org--light-3b', 'snapshots', 'abc') };
  mkdirSync(place.path, { recursive: true });
  writeFileSync(join(place.path, 'model.safetensors'), 'x'.repeat(300));
  [done, ours] = [[], []];
  const registry = new BackendRegistry([mlx, ollama]);
  const mlxModels = {
    placeOf: (name: string) => (name === 'light-3b' || name === 'broken' ? place : null),
    broken: () => [{ name: 'broken', reason: 'weights_missing' as const, file: 'model.safetensors', place }],
    diskFreeBytes: () => 100e9,
    hide: ({ path }: ModelPlace) => {
      done.push('hide');
      return () => void done.push(existsSync(path) ? 'show again' : 'show');
    },
  };
  clear = async () => void done.push(existsSync(place.path) ? 'clear' : 'too late');
  const downloaded = {
    has: (_backend: string, name: string) => ours.includes(name),
    remove: async (_backend: string, name: string) => void done.push(`forget ${name}`),
  };
  const snapshot = (): RouteSnapshot => ({
    settings: defaultSettings(),
    backends: [routeBackend('mlx'), routeBackend('ollama')],
    models,
    memory: 'normal',
  });
  views = new ModelViews({
    ...{ registry, loader: 'mlx', models: () => models, mlxModels, downloaded, snapshot },
    ...{ isContextChosen: (_backend, name) => name === 'coder:32b' },
    ...{ usage: new ModelUsage(), measured: new MeasuredTimes() },
  });
  deletion = new ModelDeletion({
    ...{ registry, loader: 'mlx', models: () => models, views, mlxModels, downloaded, snapshot },
    downloads: { clear: () => clear() },
    removeSmall: async () => void done.push('remove small'),
    rescan: async () => void done.push('rescan'),
    process: {
      ...{ spawner: nodeSpawner, clock: systemClock, node: process.execPath, env: {} },
      script: fileURLToPath(built.url),
    },
  });
});

const CODER = { backend: 'ollama', name: 'coder:32b' };
const LIGHT = { backend: 'mlx', name: 'light-3b' };

describe('the plan of a deletion', () => {
  it('says what stops working, what takes over, and the space on the disk', async () => {
    expect(await deletion.plan(CODER)).toEqual({
      owner: 'ollama',
      place: 'Ollama',
      freedBytes: 20e9,
      diskFreeBytes: 100e9,
      stops: ['data_question', 'coding', 'reasoning', 'general'].map((category) => ({
        category,
        next: 'coder:14b',
      })),
    });
    const plan = await deletion.plan(LIGHT);
    expect(plan).toMatchObject({ owner: 'huggingface', place: place.root, freedBytes: 300 });
    expect(plan.stops).toEqual(['greeting', 'fast'].map((category) => ({ category, next: 'tandem-small' })));
  });

  it('knows a broken model, and none that is not there', async () => {
    const broken = { backend: 'mlx', name: 'broken' };
    expect(await deletion.plan(broken)).toMatchObject({ freedBytes: 300, stops: [] });
    await expect(deletion.plan({ backend: 'mlx', name: 'gone' })).rejects.toMatchObject({
      code: 'model_not_found',
    });
  });
});

describe('a deletion', () => {
  it('removes the folder of a model that MLX loads, after unloading it', async () => {
    mlx.held = [held('light-3b', 2e9)];
    await deletion.delete(LIGHT, 'huggingface');
    expect(mlx.held).toEqual([]);
    expect(existsSync(join(place.root, 'models--org--light-3b'))).toBe(false);
    // Nothing loads it until it is no longer listed.
    expect(done).toEqual(['hide', 'clear', 'forget light-3b', 'rescan', 'show']);
  });

  it('fails while the model is being downloaded, and the model can be loaded again', async () => {
    clear = () => Promise.reject(new TandemError('busy', 'it is being downloaded'));
    await expect(deletion.delete(LIGHT, 'huggingface')).rejects.toMatchObject({ code: 'busy' });
    expect(existsSync(place.path)).toBe(true);
    expect(done).toEqual(['hide', 'show again', 'rescan']);
  });

  it('asks the server that keeps the model', async () => {
    await deletion.delete(CODER, 'ollama');
    expect(ollama.deleted).toEqual(['coder:32b']);
  });

  it('needs the owner that the plan has shown, except for what Tandem downloaded', async () => {
    await expect(deletion.delete(LIGHT, 'folder')).rejects.toMatchObject({ code: 'bad_request' });
    await expect(deletion.delete(CODER, 'tandem')).rejects.toMatchObject({ code: 'bad_request' });
    expect(existsSync(place.path)).toBe(true);
    ours = ['coder:32b'];
    expect((await deletion.plan(CODER)).owner).toBe('tandem');
    await deletion.delete(CODER, 'tandem');
    expect(ollama.deleted).toEqual(['coder:32b']);
  });

  it('asks before it deletes the copy of another program, also of a model that Tandem once downloaded', async () => {
    ours = ['light-3b'];
    expect((await deletion.plan(LIGHT)).owner).toBe('tandem');
    for (const owner of ['lmstudio', 'folder'] as const) {
      place = { ...place, owner };
      expect((await deletion.plan(LIGHT)).owner).toBe(owner);
      await expect(deletion.delete(LIGHT, 'tandem')).rejects.toMatchObject({ code: 'bad_request' });
    }
    expect(existsSync(place.path)).toBe(true);
  });

  it('spares a model that is answering or loading', async () => {
    ollama.held = [held('coder:32b', 20e9, { active: 1 })];
    await expect(deletion.delete(CODER, 'ollama')).rejects.toMatchObject({ code: 'busy' });
    ollama.held = [held('coder:32b', null, { ready: false })];
    await expect(deletion.delete(CODER, 'ollama')).rejects.toMatchObject({ code: 'busy' });
    expect(ollama.deleted).toEqual([]);
  });

  it('of the small model removes it everywhere', async () => {
    await deletion.delete({ backend: 'mlx', name: 'tandem-small' }, 'tandem');
    expect(done).toEqual(['remove small']);
  });
});

describe('the view of a model', () => {
  it('says what it is used for, where it is, and whether it is in memory', () => {
    ollama.held = [held('coder:32b', 20e9), held('coder:14b', null, { ready: false })];
    const [light, , coder, other, broken] = views.all();
    expect(light).toMatchObject({
      ...{ usedFor: ['greeting', 'fast'], owner: 'huggingface', hasFolder: true, load: 'none' },
      ...{ loadMs: null, tokensPerSecond: null, lastUsedAt: null, broken: null },
    });
    expect(coder).toMatchObject({ owner: 'ollama', hasFolder: false, load: 'loaded', contextChosen: true });
    expect(light).toMatchObject({ contextChosen: false });
    expect(other).toMatchObject({ load: 'loading', usedFor: [] });
    expect(broken).toMatchObject({ owner: 'huggingface', broken: 'weights_missing:model.safetensors' });
  });
});
