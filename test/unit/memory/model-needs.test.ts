import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { UNKNOWN_NEEDS } from '../../../src/main/memory/model-needs';
import { MlxLibrary } from '../../../src/main/models/mlx-library';
import { placesIn, ScanHere } from '../../support/scan';
import { tempDir } from '../../support/temp-dir';

let folder: string;
let scan: ScanHere;
let library: MlxLibrary;
beforeEach(async () => {
  const home = tempDir();
  folder = join(home, 'mlx-models', 'm');
  await mkdir(folder, { recursive: true });
  scan = new ScanHere(async () => placesIn(home));
  library = new MlxLibrary({ backend: 'mlx', scan });
});

/** A file with arrays of these sizes in the safetensors layout. */
async function weights(name: string, sizes: Record<string, number>): Promise<number> {
  let end = 0;
  const header: Record<string, object> = { __metadata__: { format: 'mlx' } };
  for (const [tensor, size] of Object.entries(sizes)) {
    header[tensor] = { dtype: 'U8', shape: [size], data_offsets: [end, end + size] };
    end += size;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = Buffer.concat([length, text, Buffer.alloc(end)]);
  await writeFile(join(folder, name), file);
  return file.length;
}

async function describeModel(config: object = {}): Promise<void> {
  const architectures = ['LlamaForCausalLM'];
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ model_type: 'llama', architectures, ...config }),
  );
  await writeFile(join(folder, 'tokenizer.json'), '{}');
}

describe('the memory of a model', () => {
  it('is read from its files, counting only those that mlx-lm loads', async () => {
    const first = await weights('model-00001-of-00002.safetensors', { a: 100, b: 300 });
    const second = await weights('model-00002-of-00002.safetensors', { c: 900 });
    await weights('consolidated.safetensors', { a: 5000 });
    await describeModel({
      ...{ num_hidden_layers: 2, num_attention_heads: 4, hidden_size: 64 },
      ...{ vocab_size: 3072, max_position_embeddings: 2048 },
    });
    expect(await library.needsOf('m')).toEqual({
      weightsBytes: first + second,
      largestTensorBytes: 900,
      kvBytesPerToken: 512,
    });
    expect(library.factsOf(folder)).toEqual({ vocabSize: 3072, contextLength: 2048 });
  });

  it('finds the largest array of a header of many pieces', async () => {
    const many = Array.from(
      { length: 4000 },
      (_, index) => [`layers.${index}.weight`, 1 + (index % 7)] as const,
    );
    await weights('model.safetensors', { ...Object.fromEntries(many), last: 99 });
    await describeModel();
    expect(await library.needsOf('m')).toMatchObject({ largestTensorBytes: 99 });
  });

  it('is unknown where the folder does not contain it', async () => {
    await weights('model.safetensors', { a: 1 });
    await describeModel();
    expect(await library.needsOf('m')).toMatchObject({ kvBytesPerToken: null });
    expect(library.factsOf(folder)).toEqual({ vocabSize: null, contextLength: null });
    expect(await library.needsOf('elsewhere')).toEqual(UNKNOWN_NEEDS);
    expect(library.factsOf('/nowhere')).toEqual({ vocabSize: null, contextLength: null });
  });

  it('is updated when weights were added to the folder, or replaced', async () => {
    await describeModel();
    expect(await library.needsOf('m')).toEqual(UNKNOWN_NEEDS);
    expect(library.knownNeeds('m')).toBeNull();
    const first = await weights('model.safetensors', { a: 100 });
    expect((await library.needsOf('m')).weightsBytes).toBe(first);
    const second = await weights('model-2.safetensors', { a: 900 });
    await library.list();
    expect(library.knownNeeds('m')?.weightsBytes).toBe(first + second);
  });

  it('is read once, and forgotten with the folder', async () => {
    await weights('model.safetensors', { a: 100 });
    await describeModel();
    await library.list();
    expect(scan.read).toBe(1);
    await library.list();
    expect(scan.read).toBe(0);
    expect(library.knownNeeds('m')).not.toBeNull();
    await rm(folder, { recursive: true });
    await library.list();
    expect(library.knownNeeds('m')).toBeNull();
  });
});
