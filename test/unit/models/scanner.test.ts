import { mkdir, rename, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { MlxLibrary } from '../../../src/main/models/mlx-library';
import { billionsFromName } from '../../../src/main/models/model-folder';
import { SMALL_MODEL_NAME } from '../../../src/shared/domain';
import { placesIn, ScanHere, scanned } from '../../support/scan';
import { tempDir } from '../../support/temp-dir';

let home: string;
beforeEach(() => {
  home = tempDir();
});

const CONFIG = {
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  max_position_embeddings: 4096,
  quantization: { bits: 4, group_size: 64 },
};

/** A complete safetensors file with one array of this many bytes. */
function weights(bytes = 8): Buffer {
  const header = JSON.stringify({ w: { dtype: 'U8', shape: [bytes], data_offsets: [0, bytes] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(bytes)]);
}

/** A model folder; a file given as null is left out. */
async function model(path: string, files: Record<string, string | Buffer | null> = {}) {
  await mkdir(path, { recursive: true });
  const all = {
    'config.json': JSON.stringify(CONFIG),
    'tokenizer.json': '{}',
    'model.safetensors': weights(),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    if (content !== null) await writeFile(join(path, name), content);
  }
}

const places = (folders: string[] = [], env = {}) =>
  placesIn(home, { env, small: join(home, 'small'), folders });
const scan = (folders: string[] = []) => scanned(places(folders));
const libraryHere = (of = async () => places()) => new MlxLibrary({ backend: 'mlx', scan: new ScanHere(of) });
const names = async (folders: string[] = []) => (await scan(folders)).models.map(({ info }) => info.name);

describe('scanner', () => {
  it('finds the small model first, then folders one and two levels deep', async () => {
    await model(join(home, 'small'));
    await model(join(home, 'mlx-models/Qwen2.5-3B-Instruct-4bit'));
    await model(join(home, '.lmstudio/models/org/Qwen2.5-32B-4bit'));
    const { models } = await scan();
    expect(models.map(({ info }) => [info.name, info.weight, info.small])).toEqual([
      [SMALL_MODEL_NAME, 'light', true],
      ['Qwen2.5-3B-Instruct-4bit', 'light', false],
      ['org/Qwen2.5-32B-4bit', 'heavy', false],
    ]);
    expect(models[1]?.info).toMatchObject({ contextLength: 4096, quantisation: '4-bit' });
  });

  it('reads the Hugging Face cache through its links', async () => {
    const hub = join(home, '.cache/huggingface/hub/models--org--small-1b');
    await model(join(hub, 'snapshots/abc'), { 'model.safetensors': null });
    await mkdir(join(hub, 'blobs'));
    await writeFile(join(hub, 'blobs/w'), weights());
    await symlink('../../blobs/w', join(hub, 'snapshots/abc/model.safetensors'));
    expect(await names()).toEqual(['org/small-1b']);
  });

  it('uses the current revision of the Hugging Face cache, not the last one alphabetically', async () => {
    const hub = join(home, '.cache/huggingface/hub');
    const used = join(hub, 'models--org--some--name-1b');
    await model(join(used, 'snapshots/aaa'));
    await model(join(used, 'snapshots/fff'), { 'model.safetensors': null });
    await mkdir(join(used, 'refs'));
    await writeFile(join(used, 'refs/main'), 'aaa');
    const newest = join(hub, 'models--org--two-1b/snapshots');
    await model(join(newest, 'aaa'), { 'model.safetensors': weights(9) });
    await model(join(newest, 'fff'), { 'model.safetensors': null });
    await utimes(join(newest, 'fff'), 1, 1);
    const { models, broken } = await scan();
    expect(models.map(({ info }) => info.name)).toEqual(['org/some--name-1b', 'org/two-1b']);
    expect(broken).toEqual([]);
  });

  it('does not show a repository that Tandem downloads until its main revision is linked', async () => {
    const hub = join(home, '.cache/huggingface/hub/models--org--half-1b');
    await model(join(hub, 'snapshots/aaa'), { 'model-00001-of-00002.safetensors': weights() });
    await writeFile(join(hub, '.tandem-download'), '{}');
    expect(await scan()).toMatchObject({ models: [], broken: [] });
    await mkdir(join(hub, 'refs'));
    await writeFile(join(hub, 'refs/main'), 'aaa');
    expect(await names()).toEqual(['org/half-1b']);
  });

  it('scans the model folder of LM Studio, also where the user has moved it', async () => {
    await model(join(home, '.cache/lm-studio/models/org/old-1b'), { 'model.safetensors': weights(1) });
    await model(join(home, '.lmstudio/models/org/new-1b'), { 'model.safetensors': weights(2) });
    await model(join(home, 'volume/studio/models/org/pointed-1b'), { 'model.safetensors': weights(3) });
    await model(join(home, 'volume/moved/org/moved-1b'), { 'model.safetensors': weights(4) });
    await writeFile(join(home, '.lmstudio-home-pointer'), `${join(home, 'volume/studio')}\n`);
    const settings = JSON.stringify({ downloadsFolder: join(home, 'volume/moved') });
    await writeFile(join(home, 'volume/studio/settings.json'), settings);
    expect((await names()).sort()).toEqual(['org/moved-1b', 'org/new-1b', 'org/old-1b', 'org/pointed-1b']);
  });

  it('knows who put a model where it is, and how much space its disk has', async () => {
    const hub = join(home, '.cache/huggingface/hub');
    const added = join(home, 'added');
    await model(join(home, 'small'));
    await model(join(hub, 'models--org--hub-1b/snapshots/abc'));
    await model(join(home, '.lmstudio/models/org/studio-1b'));
    await model(join(added, 'added-1b'));
    await model(join(added, 'cut-1b'), { 'model.safetensors': null });
    const { models, broken, diskFreeBytes } = await scan([added]);
    expect([...models.map(({ info, place }) => [info.name, place.owner, place.root])].sort()).toEqual([
      ['added-1b', 'folder', added],
      ['org/hub-1b', 'huggingface', hub],
      ['org/studio-1b', 'lmstudio', join(home, '.lmstudio/models')],
      [SMALL_MODEL_NAME, 'tandem', join(home, 'small')],
    ]);
    expect(broken[0]?.place).toEqual({ owner: 'folder', root: added, path: join(added, 'cut-1b') });
    expect(diskFreeBytes).toBeGreaterThan(0);
  });

  it.each([
    ['HF_HOME with a tilde', { HF_HOME: '~/hf' }, 'hf/hub'],
    ['HF_HOME with a variable', { HF_HOME: '$DISK/hf', DISK: 'HOME/disk' }, 'disk/hf/hub'],
    ['HF_HUB_CACHE before HF_HOME', { HF_HUB_CACHE: '~/cache', HF_HOME: '~/hf' }, 'cache'],
    ['the older name', { HUGGINGFACE_HUB_CACHE: 'HOME/old' }, 'old'],
    ['XDG_CACHE_HOME', { XDG_CACHE_HOME: 'HOME/xdg' }, 'xdg/huggingface/hub'],
    ['empty variables', { HF_HOME: '', HF_HUB_CACHE: '' }, '.cache/huggingface/hub'],
  ])('finds the Hugging Face cache as its Python client does: %s', async (_, env, hub) => {
    await model(join(home, hub, 'models--org--small-1b/snapshots/abc'));
    const given = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, value.replace('HOME', home)]),
    );
    const { models } = await scanned(placesIn(home, { env: given }));
    expect(models.map(({ info }) => info.name)).toEqual(['org/small-1b']);
  });

  it('lists a folder named `auto` with its parent, as `auto` means something else in requests', async () => {
    await model(join(home, 'mlx-models/auto'));
    await model(join(home, 'mlx-models/org/auto'), { 'model.safetensors': weights(9) });
    await model(join(home, 'mlx-models/auto-1b'));
    expect(await names()).toEqual(['mlx-models/auto', 'auto-1b', 'org/auto']);
  });

  it('scans folders that the user adds, and scans the same folder only once', async () => {
    await model(join(home, 'mine/one-2b'));
    expect(await names([join(home, 'mine'), join(home, 'mine')])).toEqual(['one-2b']);
    expect(await names(['~/mine/', 'mine', ''])).toEqual(['one-2b']);
    const { visited } = await scan(['~/mine/', join(home, 'mine'), '~']);
    expect(visited.filter((folder) => [home, join(home, 'mine')].includes(folder))).toEqual([
      join(home, 'mine'),
      home,
      // It is in the home folder as well, which does not make it a second model.
      join(home, 'mine'),
    ]);
  });

  it('lists a model in two places once, and knows it by both names', async () => {
    await model(join(home, 'mlx-models/Phi-3.5-mini-instruct-4bit'));
    await model(join(home, '.lmstudio/models/mlx-community/Phi-3.5-mini-instruct-4bit'));
    await model(join(home, '.lmstudio/models/someone/Phi-3.5-mini-instruct-4bit'), {
      'model.safetensors': weights(4000),
    });
    const library = libraryHere();
    const listed = await library.list();
    expect(listed.map(({ name, aliases }) => [name, aliases])).toEqual([
      ['Phi-3.5-mini-instruct-4bit', ['mlx-community/Phi-3.5-mini-instruct-4bit']],
      ['someone/Phi-3.5-mini-instruct-4bit', undefined],
    ]);
    const path = join(home, 'mlx-models/Phi-3.5-mini-instruct-4bit');
    expect(await library.resolve('mlx-community/phi-3.5-mini-instruct-4bit')).toBe(path);
  });

  it('counts the weights that mlx-lm loads, not the same ones in the format of another program', async () => {
    const shard = weights(10);
    await model(join(home, 'mlx-models/twice-7b'), {
      'model.safetensors': null,
      'model-00001-of-00002.safetensors': shard,
      'model-00002-of-00002.safetensors': shard,
      'consolidated.safetensors': weights(20),
      'adapters.safetensors': 'cut off',
    });
    const { models, broken } = await scan();
    expect(models.map(({ info }) => info.sizeBytes)).toEqual([2 * shard.length]);
    expect(broken).toEqual([]);
  });

  it('returns the capabilities of a model and the memory for its context', async () => {
    await model(join(home, 'mlx-models/able-3b'), {
      'config.json': JSON.stringify({
        ...CONFIG,
        num_hidden_layers: 10,
        num_attention_heads: 8,
        num_key_value_heads: 2,
        hidden_size: 512,
        vision_config: {},
      }),
      'chat_template.jinja': '{% if tools %}…{% endif %}<think>',
    });
    const [found] = (await scan()).models;
    expect(found?.info.capabilities).toEqual(['completion', 'tools', 'thinking', 'vision']);
    expect(found?.info.kvBytesPerToken).toBe(2 * 10 * 2 * 64 * 2);
  });
});

describe('a list that is requested during a scan', () => {
  it('contains what was added after that scan began; the failure of that scan does not matter', async () => {
    await model(join(home, 'mlx-models/one-1b'));
    const { promise, reject } = Promise.withResolvers<never>();
    let scans = 0;
    const library = libraryHere(async () => {
      scans += 1;
      return scans === 1 ? promise : places();
    });
    const first = library.list();
    const later = [library.list(), library.resolve('one-1b')] as const;
    reject(new Error('volume gone'));
    await expect(first).rejects.toThrow('volume gone');
    expect((await later[0]).map(({ name }) => name)).toEqual(['one-1b']);
    expect(await later[1]).toBe(join(home, 'mlx-models/one-1b'));
    expect(scans).toBe(2);
  });

  it('does not delay the preload, which uses the result of that scan', async () => {
    await model(join(home, 'mlx-models/one-1b'));
    let scans = 0;
    const library = libraryHere(async () => {
      scans += 1;
      return places();
    });
    const scan = library.list();
    expect(await library.preload('one-1b')).toMatchObject({ name: 'one-1b' });
    await scan;
    expect(scans).toBe(1);
  });
});

describe('a scan that takes too long', () => {
  it('delays no caller; the last result is used until it is done', async () => {
    await model(join(home, 'mlx-models/one-1b'));
    let hold: Promise<unknown> = Promise.resolve();
    const library = libraryHere(async () => {
      await hold;
      return places();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const impatient = () => library.list(AbortSignal.abort(new Error('enough')));
    await expect(impatient()).rejects.toThrow('enough');
    resolve();
    await library.list();
    hold = new Promise(() => {});
    expect((await impatient()).map(({ name }) => name)).toEqual(['one-1b']);
  });
});

describe('a folder that is not a model for MLX', () => {
  it.each([
    ['embeddings', { model_type: 'bert', architectures: ['BertModel'] }, {}],
    [
      'speech',
      { model_type: 'whisper', architectures: ['WhisperForConditionalGeneration'], is_encoder_decoder: true },
      {},
    ],
    ['weights of another program', CONFIG, { 'model.safetensors': null, 'pytorch_model.bin': 'x' }],
    ['pictures, without a tokenizer', { model_type: 'unet' }, { 'tokenizer.json': null }],
    ['a description without a type', { architecture: 'resnet50', num_classes: 1000 }, {}],
    ['a list', [], {}],
    ['nothing', null, {}],
    [
      'weights of another program, without a tokenizer',
      CONFIG,
      { 'model.safetensors': null, 'tokenizer.json': null, 'model-1b.gguf': 'x' },
    ],
    [
      'weights of another program on their way',
      CONFIG,
      { 'model.safetensors': null, 'model-1b.gguf.part': 'x' },
    ],
    [
      'weights of another program beside the index of ours',
      CONFIG,
      {
        'model.safetensors': null,
        'model-1b.gguf': 'x',
        'model.safetensors.index.json': JSON.stringify({ weight_map: { a: 'model-1.safetensors' } }),
      },
    ],
    [
      'safetensors that mlx-lm does not load',
      CONFIG,
      { 'model.safetensors': null, 'consolidated.safetensors': weights() },
    ],
  ])('is neither listed nor reported as broken: %s', async (_, config, files) => {
    await model(join(home, 'mlx-models/other'), { ...files, 'config.json': JSON.stringify(config) });
    expect(await scan()).toMatchObject({ models: [], broken: [] });
  });

  it('is a repository with only a tokenizer, but one that is being downloaded is broken', async () => {
    const hub = join(home, '.cache/huggingface/hub');
    await model(join(hub, 'models--org--words-1b/snapshots/a'), { 'model.safetensors': null });
    expect(await scan()).toMatchObject({ models: [], broken: [] });
    await mkdir(join(hub, 'models--org--words-1b/blobs'));
    await writeFile(join(hub, 'models--org--words-1b/blobs/123.incomplete'), 'half');
    expect((await scan()).broken).toMatchObject([
      { name: 'org/words-1b', reason: 'download_unfinished', file: 'model.safetensors' },
    ]);
  });

  it.each([
    ['its description', {}],
    ['a description that is no JSON', { 'config.json': '{' }],
    [
      'the index of its weights',
      { 'model.safetensors.index.json': '{"weight_map":{"a":"model-1.safetensors"}}' },
    ],
  ])('is a repository of which only these files were downloaded: %s', async (_, files) => {
    const snapshot = join(home, '.cache/huggingface/hub/models--org--asked-1b/snapshots/a');
    await model(snapshot, { 'model.safetensors': null, 'tokenizer.json': null, ...files });
    expect(await scan()).toMatchObject({ models: [], broken: [] });
    await model(snapshot, {
      'model-2.safetensors': weights(),
      'model.safetensors': null,
      ...files,
      'tokenizer.json': null,
    });
    expect((await scan()).broken).toMatchObject([{ name: 'org/asked-1b' }]);
  });
});

describe('models that mlx-lm loads', () => {
  const index = (file: string) => JSON.stringify({ weight_map: { w: file, x: 'model-2-of-2.safetensors' } });

  it.each([
    ['a partial file of a text', { 'README.md.part': 'x' }],
    ['a partial file that a whole one replaced', { 'model.safetensors.incomplete': 'x' }],
    ['the index of other weights', { 'model.safetensors.index.json': index('model-1-of-2.safetensors') }],
    ['a damaged index', { 'model.safetensors.index.json': '[' }],
    ['a folder for the tokenizer of another program', { 'tokenizer/vocab.txt': 'x' }],
    [
      'constants of Python',
      { 'config.json': JSON.stringify(CONFIG).replace('{', '{"limits": [0.0, Infinity, -Infinity, NaN],') },
    ],
    ['a long description', { 'config.json': JSON.stringify({ ...CONFIG, padding: 'x'.repeat(2e6) }) }],
  ])('are usable with %s', async (_, files) => {
    const path = join(home, 'mlx-models/odd-1b');
    await mkdir(join(path, 'tokenizer'), { recursive: true });
    await model(path, files);
    expect(await scan()).toMatchObject({ models: [{ info: { name: 'odd-1b' } }], broken: [] });
  });
});

describe('broken models', () => {
  const index = JSON.stringify({ weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } });

  it.each([
    [
      'a missing shard',
      { 'model.safetensors': null, 'model-1.safetensors': weights(), 'model.safetensors.index.json': index },
      'download_unfinished',
      'model-2.safetensors',
    ],
    ['no weights', { 'model.safetensors': null }, 'weights_missing', 'model.safetensors'],
    ['a damaged description', { 'config.json': '{' }, 'config_unreadable', 'config.json'],
    ['no tokenizer', { 'tokenizer.json': null }, 'download_unfinished', 'tokenizer.json'],
    [
      'a file on its way',
      { 'model.safetensors': null, 'model.safetensors.part': 'x' },
      'download_unfinished',
      'model.safetensors',
    ],
    [
      'one of several files on its way',
      { 'model.safetensors': null, 'model-1.safetensors': weights(), 'model-2.safetensors.part': 'x' },
      'download_unfinished',
      'model-2.safetensors',
    ],
    [
      'a pointer to a large file',
      { 'model.safetensors': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' },
      'download_unfinished',
      'model.safetensors',
    ],
    ['an empty file', { 'model.safetensors': '' }, 'download_unfinished', 'model.safetensors'],
  ])('are reported with the file: %s', async (_, files, reason, file) => {
    await model(join(home, 'mlx-models/half-1b'), files);
    expect(await scan()).toMatchObject({ models: [], broken: [{ name: 'half-1b', reason, file }] });
  });

  it('include one whose weights were truncated, whatever the order of its header', async () => {
    const path = join(home, 'mlx-models/cut-1b');
    await model(path, { 'model.safetensors': weights(1000) });
    await truncate(join(path, 'model.safetensors'), 700);
    expect((await scan()).broken).toMatchObject([
      { name: 'cut-1b', reason: 'download_unfinished', file: 'model.safetensors' },
    ]);
    const spaced = '{"a": {"data_offsets": [0, 4]}, "__metadata__": {"format": "mlx"}}';
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(spaced.length));
    await writeFile(
      join(path, 'model.safetensors'),
      Buffer.concat([length, Buffer.from(spaced), Buffer.alloc(4)]),
    );
    expect(await names()).toEqual(['cut-1b']);
  });

  it('are explained until they are complete, and hidden by a complete copy', async () => {
    const path = join(home, 'mlx-models/late-1b');
    await model(path, { 'model.safetensors': null });
    const library = libraryHere();
    await library.list();
    expect(library.warnings()).toEqual([
      {
        code: 'model_incomplete',
        message:
          'late-1b cannot be used: its weights are missing (model.safetensors). Finish the download, or delete the folder unless another program uses it.',
        details: { name: 'late-1b', reason: 'weights_missing', file: 'model.safetensors' },
      },
    ]);
    await model(join(home, '.mlx_models/late-1b'));
    await library.list();
    expect(library.broken()).toEqual([]);
    await rename(join(home, '.mlx_models/late-1b/model.safetensors'), join(path, 'model.safetensors'));
    expect(await library.resolve('late-1b')).not.toBeNull();
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
});
