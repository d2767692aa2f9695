import { cp, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TINY, writeRandomModel } from './random-model';
import { renameArray, withArrays } from './safetensors-file';

/** Changes a whole model in this folder into the odd one. */
type Change = (folder: string) => Promise<unknown>;

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const FIRST = 'model-00001-of-00002.safetensors';
const SECOND = 'model-00002-of-00002.safetensors';

const put =
  (name: string, text: string): Change =>
  (folder) =>
    writeFile(join(folder, name), text);
const drop =
  (...names: string[]): Change =>
  (folder) =>
    Promise.all(names.map((name) => rm(join(folder, name))));
const both =
  (...changes: Change[]): Change =>
  async (folder) => {
    for (const change of changes) await change(folder);
  };
const cut =
  (name: string, bytes: number): Change =>
  (folder) =>
    truncate(join(folder, name), bytes);
const link =
  (name: string, target: string): Change =>
  (folder) =>
    symlink(target, join(folder, name));
const config =
  (fields: object): Change =>
  async (folder) => {
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...fields }));
  };
/** Python's constants, which JSON.stringify cannot write. */
const pythonConfig =
  (fields: string): Change =>
  async (folder) => {
    const path = join(folder, 'config.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('{', `{${fields},`));
  };
/** Replaces the weights by the arrays whose names match. */
const weights =
  (name: string, pattern: RegExp): Change =>
  async (folder) =>
    writeFile(join(folder, name), withArrays(await readFile(join(folder, WEIGHTS)), pattern));
const renamed =
  (from: string, to: string): Change =>
  async (folder) => {
    const path = join(folder, WEIGHTS);
    await writeFile(path, renameArray(await readFile(path), from, to));
  };
const index = (files: Record<string, string>) => put(INDEX, JSON.stringify({ weight_map: files }));
const isSecond = /\.1\.|norm\.weight$/;
const isFirst = /^(?!.*(?:\.1\.|model\.norm))/;
const sharded = both(weights(FIRST, isFirst), weights(SECOND, isSecond), drop(WEIGHTS));
const halves = index({
  'model.embed_tokens.weight': FIRST,
  'model.layers.0.mlp.up_proj.weight': FIRST,
  'model.layers.1.mlp.up_proj.weight': SECOND,
  'model.norm.weight': SECOND,
});
const vocabulary: Change = async (folder) => {
  const { vocab } = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8')).model;
  await put('vocab.json', JSON.stringify(vocab))(folder);
  await put('merges.txt', '#version: 0.2\nt h\n')(folder);
};
const tokenizer = (fields: object) => put('tokenizer_config.json', JSON.stringify(fields));
const nothing: Change = async () => {};

/** Model folders by name: names that are hard to handle, and contents that are odd, damaged or incomplete. */
const FOLDERS: Readonly<Record<string, Change>> = {
  'whole-1': nothing,
  'Qwen (1)': nothing,
  'a,b': nothing,
  'm#1': nothing,
  '[4bit]-0.5B': nothing,
  'any*[name]?': nothing,
  '😀': nothing,
  'cafe\u0301': nothing,
  ' space before': nothing,
  'quote"s\'': nothing,
  'a;b $(c)': nothing,
  'line\nbreak': nothing,
  '100%20': nothing,
  auto: nothing,
  'shards-2': sharded,
  'shards-indexed-2': both(sharded, halves),
  'shard-missing-2': both(sharded, drop(SECOND)),
  'shard-missing-indexed-2': both(sharded, halves, drop(SECOND)),
  'shard-truncated-2': both(sharded, halves, cut(SECOND, 600)),
  'shard-partial-2': both(sharded, (folder) => rename(join(folder, SECOND), join(folder, `${SECOND}.part`))),
  'index-stale': halves,
  'index-stale-shards-2': both(sharded, index({ 'model.norm.weight': 'model-00003-of-00003.safetensors' })),
  'index-damaged': put(INDEX, '{"weight_map": {'),
  'layer-missing': weights(WEIGHTS, isFirst),
  'layers-more-in-config': config({ num_hidden_layers: 3 }),
  'weights-missing': drop(WEIGHTS),
  'weights-truncated': cut(WEIGHTS, 5000),
  'weights-empty': put(WEIGHTS, ''),
  'weights-pointer': put(WEIGHTS, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
  'weights-longer': async (folder) => writeFile(join(folder, WEIGHTS), Buffer.alloc(99), { flag: 'a' }),
  'weights-partial': (folder) => rename(join(folder, WEIGHTS), join(folder, `${WEIGHTS}.part`)),
  'weights-stale-partial': put(`${WEIGHTS}.incomplete`, 'x'),
  'readme-partial': put('README.md.part', 'x'),
  'link-to-weights': both(
    (folder) => rename(join(folder, WEIGHTS), join(folder, 'blob')),
    link(WEIGHTS, 'blob'),
  ),
  'link-to-nowhere': both(drop(WEIGHTS), link(WEIGHTS, 'nowhere')),
  'link-to-nowhere-extra': link('model-2.safetensors', 'nowhere'),
  'folder-for-weights': (folder) => mkdir(join(folder, 'model-2.safetensors')),
  'gguf-only': both(drop(WEIGHTS), put('model.gguf', 'GGUF')),
  'group-indices': both(
    config({ quantization_config: { quant_method: 'gptq', bits: 4 } }),
    renamed('model.layers.0.mlp.up_proj.weight', 'model.layers.0.mlp.up_proj.g_idx'),
  ),
  'config-missing': drop('config.json'),
  'config-truncated': cut('config.json', 200),
  'config-infinity': pythonConfig('"time_step_limit": [0.0, Infinity], "a": -Infinity, "b": NaN'),
  'config-infinity-in-text': pythonConfig('"note": "NaN, \\"Infinity\\""'),
  'config-bom': async (folder) => {
    const path = join(folder, 'config.json');
    await writeFile(path, `\ufeff${await readFile(path, 'utf8')}`);
  },
  'config-comment': pythonConfig('/* a */ "b": 1'),
  'config-latin1': async (folder) => {
    const path = join(folder, 'config.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('{', '{"a": "é",'), 'latin1');
  },
  'config-large': config({ padding: 'x'.repeat(2_000_000) }),
  'type-renamed': config({ model_type: 'mistral', architectures: ['MistralForCausalLM'] }),
  'type-unknown': config({ model_type: 'tomorrow', architectures: ['TomorrowForCausalLM'] }),
  'type-missing': config({ model_type: undefined }),
  'heads-missing': config({ architectures: undefined }),
  'heads-empty': config({ architectures: [] }),
  'own-code': config({ model_file: 'model.py' }),
  'quantisation-unknown-format': config({
    quantization_config: { quant_method: 'compressed-tensors', format: 'float-quantized' },
  }),
  'quantisation-unknown': config({ quantization_config: { quant_method: 'later' } }),
  'quantisation-fp8': both(
    config({ quantization_config: { quant_method: 'fp8', weight_block_size: [128, 128] } }),
    renamed('model.layers.0.input_layernorm.weight', 'model.layers.0.mlp.up_proj.weight_scale_inv'),
  ),
  'generation-damaged': put('generation_config.json', '{'),
  'tokenizer-missing': drop('tokenizer.json', 'tokenizer_config.json'),
  'tokenizer-only-config': drop('tokenizer.json'),
  'tokenizer-class-only': both(drop('tokenizer.json'), tokenizer({ tokenizer_class: 'LlamaTokenizer' })),
  'tokenizer-without-config': drop('tokenizer_config.json'),
  'tokenizer-truncated': cut('tokenizer.json', 3000),
  'tokenizer-config-truncated': cut('tokenizer_config.json', 40),
  'tokenizer-special-truncated': put('special_tokens_map.json', '{"a": '),
  'tokenizer-link-to-nowhere': both(drop('tokenizer.json'), link('tokenizer.json', 'nowhere')),
  'tokenizer-folder-beside': (folder) => mkdir(join(folder, 'tokenizer')),
  'tokenizer-merges': both(
    vocabulary,
    drop('tokenizer.json'),
    tokenizer({ tokenizer_class: 'GPT2Tokenizer' }),
  ),
  'tokenizer-merges-other-class': both(vocabulary, drop('tokenizer.json'), tokenizer({})),
  'tokenizer-own-code': tokenizer({
    tokenizer_class: 'OwnTokenizer',
    auto_map: { AutoTokenizer: ['own.OwnTokenizer', null] },
  }),
  'tokenizer-known-class': tokenizer({
    tokenizer_class: 'PreTrainedTokenizerFast',
    auto_map: { AutoTokenizer: ['own.OwnTokenizer', null] },
  }),
};

/** The names of all odd models, and of those that are odd only in their names. */
export const ODD_MODELS: readonly string[] = Object.keys(FOLDERS);
export const ODD_NAMES: readonly string[] = ODD_MODELS.filter((name) => FOLDERS[name] === nothing);

/** Writes odd models into folders of their names, and returns their paths by name. */
export async function writeOddModels(
  folder: string,
  names: readonly string[] = ODD_MODELS,
): Promise<Map<string, string>> {
  const whole = await writeRandomModel(join(folder, 'whole-1'), TINY);
  const paths = new Map<string, string>();
  for (const name of names) {
    const path = join(folder, name);
    if (path !== whole) await cp(whole, path, { recursive: true });
    paths.set(name, path);
    await FOLDERS[name]?.(path);
  }
  return paths;
}
