import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fitOf, suggestModels } from '../../../src/main/models/catalogue';
import { scanMlxModels, scanRoots } from '../../../src/main/models/mlx-scanner';
import { billionsFromName } from '../../../src/main/models/model-folder';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tandem-scan-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function model(path: string, files: Record<string, string> = {}) {
  await mkdir(path, { recursive: true });
  const all: Record<string, string> = {
    'config.json':
      '{"model_type":"llama","max_position_embeddings":4096,"quantization":{"bits":4,"group_size":64}}',
    'tokenizer.json': '{}',
    'model.safetensors': 'weights',
    ...files,
  };
  for (const [name, content] of Object.entries(all)) if (content) await writeFile(join(path, name), content);
}

const scan = (folders: string[] = []) =>
  scanMlxModels(scanRoots({ home, env: {}, resourcesDir: join(home, 'resources'), folders, direct: [] }));

describe('scanner', () => {
  it('finds the starter first, then folders one and two levels deep', async () => {
    await model(join(home, 'resources/models/starter'));
    await model(join(home, 'mlx-models/Qwen2.5-3B-Instruct-4bit'));
    await model(join(home, '.lmstudio/models/org/Qwen2.5-32B-4bit'));
    const { models } = await scan();
    expect(models.map(({ info }) => [info.name, info.weight, info.starter])).toEqual([
      ['tandem-starter', 'light', true],
      ['Qwen2.5-3B-Instruct-4bit', 'light', false],
      ['org/Qwen2.5-32B-4bit', 'heavy', false],
    ]);
    expect(models[1]?.info).toMatchObject({ contextLength: 4096, quantisation: '4-bit', backend: 'mlx' });
  });

  it('reads the Hugging Face cache through its links', async () => {
    const hub = join(home, '.cache/huggingface/hub/models--org--small-1b');
    await model(join(hub, 'snapshots/abc'), { 'model.safetensors': '' });
    await mkdir(join(hub, 'blobs'));
    await writeFile(join(hub, 'blobs/w'), 'weights');
    await symlink('../../blobs/w', join(hub, 'snapshots/abc/model.safetensors'));
    expect((await scan()).models.map(({ info }) => info.name)).toEqual(['org/small-1b']);
  });

  it('takes the revision of the Hugging Face cache that is in use, not the last of the alphabet', async () => {
    const hub = join(home, '.cache/huggingface/hub');
    const used = join(hub, 'models--org--some--name-1b');
    await model(join(used, 'snapshots/aaa'));
    await model(join(used, 'snapshots/fff'), { 'model.safetensors': '' });
    await mkdir(join(used, 'refs'));
    await writeFile(join(used, 'refs/main'), 'aaa');
    const newest = join(hub, 'models--org--two-1b/snapshots');
    await model(join(newest, 'aaa'));
    await model(join(newest, 'fff'), { 'model.safetensors': '' });
    await utimes(join(newest, 'fff'), 1, 1);
    const { models, broken } = await scan();
    expect(models.map(({ info }) => info.name)).toEqual(['org/some--name-1b', 'org/two-1b']);
    expect(broken).toEqual([]);
  });

  it('names unfinished downloads instead of offering them', async () => {
    const index = JSON.stringify({ weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } });
    await model(join(home, 'mlx-models/half-1b'), {
      'model.safetensors': '',
      'model-1.safetensors': 'x',
      'model.safetensors.index.json': index,
    });
    await model(join(home, 'mlx-models/none-1b'), { 'model.safetensors': '' });
    await model(join(home, 'mlx-models/odd-1b'), { 'config.json': '{' });
    const { models, broken } = await scan();
    expect(models).toEqual([]);
    expect(broken).toEqual([
      { name: 'half-1b', reason: 'download_unfinished' },
      { name: 'none-1b', reason: 'weights_missing' },
      { name: 'odd-1b', reason: 'config_unreadable' },
    ]);
  });

  it('looks in folders that the user adds', async () => {
    await model(join(home, 'mine/one-2b'));
    expect((await scan([join(home, 'mine')])).models.map(({ info }) => info.name)).toEqual(['one-2b']);
  });
});

describe('sizes', () => {
  it.each([
    ['qwen2.5:3b', 3],
    ['phi3.5:3.8b', 3.8],
    ['Phi-3.5-mini-instruct-4bit', 3.8],
    ['Llama-3.3-70B-Instruct-4bit', 70],
    ['tinyllama:1.1b-chat', 1.1],
    ['nomic-embed-text', null],
    ['model-4bit', null],
  ])('%s has %s billion parameters', (name, billions) => {
    expect(billionsFromName(name)).toBe(billions);
  });

  it('suggests what fits the machine', () => {
    const names = (gigabytes: number) =>
      suggestModels(gigabytes * 1e9, []).map(({ name, fit }) => `${name} ${fit}`);
    expect(names(96)).toEqual(['qwen2.5-coder:32b yes', 'phi3.5:3.8b yes', 'deepseek-r1:32b yes']);
    expect(names(16)).toEqual(['qwen2.5-coder:7b yes', 'phi3.5:3.8b yes', 'deepseek-r1:14b tight']);
    expect(names(2)).toEqual([]);
    expect(fitOf(43e9, 64e9)).toBe('no');
  });
});
