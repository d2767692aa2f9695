import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KnownNeeds, readModelNeeds, UNKNOWN_NEEDS } from '../../../src/main/memory/model-needs';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-needs-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A file with arrays of these sizes, as the format lays it out. */
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

const CONFIG = { num_hidden_layers: 2, num_attention_heads: 4, hidden_size: 64 };

describe('what a model takes', () => {
  it('is read from its files', async () => {
    const first = await weights('model-00001-of-00002.safetensors', { a: 100, b: 300 });
    const second = await weights('model-00002-of-00002.safetensors', { c: 900 });
    await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG));
    expect(await readModelNeeds(folder)).toEqual({
      weightsBytes: first + second,
      largestTensorBytes: 900,
      kv: { layers: 2, kvHeads: 4, headDim: 16, elementBytes: 2 },
    });
  });

  it('counts only the files that mlx-lm loads', async () => {
    const bytes = await weights('model.safetensors', { a: 100 });
    await weights('consolidated.safetensors', { a: 100, b: 900 });
    expect(await readModelNeeds(folder)).toMatchObject({ weightsBytes: bytes, largestTensorBytes: 100 });
    await rm(join(folder, 'model.safetensors'));
    expect(await readModelNeeds(folder)).toEqual(UNKNOWN_NEEDS);
  });

  it('is unknown where a file does not say', async () => {
    await writeFile(join(folder, 'model.safetensors'), 'no length and no header');
    await writeFile(join(folder, 'config.json'), 'no JSON');
    expect(await readModelNeeds(folder)).toEqual({ weightsBytes: 23, largestTensorBytes: null, kv: null });
    expect(await readModelNeeds(join(folder, 'nowhere'))).toEqual(UNKNOWN_NEEDS);
  });

  it('is read again when weights have come into the folder, or others in their place', async () => {
    const known = new KnownNeeds(async () => folder);
    expect(await known.of('m')).toEqual(UNKNOWN_NEEDS);
    expect(known.known('m')).toBeNull();
    const first = await weights('model.safetensors', { a: 100 });
    expect((await known.of('m')).weightsBytes).toBe(first);
    const second = await weights('model-2.safetensors', { a: 900 });
    expect((await known.of('m')).weightsBytes).toBe(first + second);
    expect(known.known('m')?.weightsBytes).toBe(first + second);
  });

  it('is read once, and known at once from then on', async () => {
    const bytes = await weights('model.safetensors', { a: 100 });
    const known = new KnownNeeds(async (name) => (name === 'here' ? folder : null));
    expect(known.known('here')).toBeNull();
    expect(await known.of('elsewhere')).toEqual(UNKNOWN_NEEDS);
    expect((await known.of('here')).weightsBytes).toBe(bytes);
    await rm(folder, { recursive: true });
    expect((await known.of('here')).weightsBytes).toBe(bytes);
    expect(known.known('here')?.weightsBytes).toBe(bytes);
  });
});
