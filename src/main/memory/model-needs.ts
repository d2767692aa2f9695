import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type KvShape, kvShapeOf } from './kv-cache';

/** What a model takes of memory, as far as its files tell. Bytes; null = unknown. */
export interface ModelNeeds {
  weightsBytes: number | null;
  /** The largest single array, which becomes one buffer of the GPU. */
  largestTensorBytes: number | null;
  kv: KvShape | null;
}

export const UNKNOWN_NEEDS: ModelNeeds = { weightsBytes: null, largestTensorBytes: null, kv: null };

/**
 * Is it a file of weights that mlx-lm loads? It takes `model*.safetensors` and no other (`load_model` in mlx_lm/utils.py):
 * a repository may hold the same weights once more for another program, as `consolidated.safetensors`.
 */
export function isWeightsFile(name: string): boolean {
  return /^model.*\.safetensors$/.test(name);
}

/** A header that claims to be larger belongs to no model. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Reads a model folder: the size of its weights, the head of each safetensors file (8 bytes of length, then JSON with
 * the place of every array; https://github.com/huggingface/safetensors#format) and the figures of its `config.json`.
 * What cannot be read is unknown. Never rejects.
 */
export async function readModelNeeds(folder: string): Promise<ModelNeeds> {
  const names = (await readdir(folder).catch(() => [])).filter(isWeightsFile);
  if (names.length === 0) return UNKNOWN_NEEDS;
  const files = names.map((name) => join(folder, name));
  const sizes = await Promise.all(files.map((file) => stat(file).then(({ size }) => size, nothing)));
  const largest: (number | null)[] = [];
  // One after the other: many open files at once gain nothing here.
  for (const file of files) largest.push(await largestTensor(file).catch(nothing));
  const config = await readFile(join(folder, 'config.json'), 'utf8').then(JSON.parse).catch(nothing);
  return {
    weightsBytes: ifAllKnown(sizes, (known) => known.reduce((sum, size) => sum + size, 0)),
    largestTensorBytes: ifAllKnown(largest, (known) => Math.max(...known)),
    kv: kvShapeOf(config),
  };
}

interface Read {
  /** When something was last put into the folder or taken out, ms; null = it could not be asked. */
  changedAt: number | null;
  needs: Promise<ModelNeeds>;
}

/** What is known of model folders, each read again only when it has changed or had no weights. */
export class KnownNeeds {
  readonly #resolve: (name: string) => Promise<string | null>;
  readonly #byFolder = new Map<string, Read>();
  readonly #byName = new Map<string, ModelNeeds>();

  constructor(resolve: (name: string) => Promise<string | null>) {
    this.#resolve = resolve;
  }

  /** Reads the folder of a model unless it is known as it stands. Unknown for a name without a folder. */
  async of(name: string): Promise<ModelNeeds> {
    const folder = await this.#resolve(name).catch(nothing);
    if (folder === null) return UNKNOWN_NEEDS;
    const needs = await this.#read(folder);
    if (needs.weightsBytes === null) this.#byName.delete(name);
    else this.#byName.set(name, needs);
    return needs;
  }

  async #read(folder: string): Promise<ModelNeeds> {
    const changedAt = await stat(folder).then(({ mtimeMs }) => mtimeMs, nothing);
    const known = this.#byFolder.get(folder);
    if (known && (changedAt === null || changedAt === known.changedAt)) return known.needs;
    const read: Read = { changedAt, needs: readModelNeeds(folder) };
    this.#byFolder.set(folder, read);
    const needs = await read.needs;
    // A download goes on inside its files, which does not show at the folder.
    if (needs.weightsBytes === null && this.#byFolder.get(folder) === read) this.#byFolder.delete(folder);
    return needs;
  }

  /** What has been read so far, for decisions that cannot wait. */
  known(name: string): ModelNeeds | null {
    return this.#byName.get(name) ?? null;
  }
}

async function largestTensor(file: string): Promise<number> {
  const handle = await open(file);
  try {
    const length = Buffer.alloc(8);
    await handle.read(length, 0, 8, 0);
    const headerBytes = Number(length.readBigUInt64LE());
    if (headerBytes > MAX_HEADER_BYTES) throw new Error('not a safetensors file');
    const header = Buffer.alloc(headerBytes);
    await handle.read(header, 0, headerBytes, 8);
    return largestIn(JSON.parse(header.toString('utf8')));
  } finally {
    await handle.close();
  }
}

function largestIn(header: Record<string, { data_offsets?: [number, number] }>): number {
  const sizes = Object.values(header).map(({ data_offsets: place }) => (place ? place[1] - place[0] : 0));
  return sizes.reduce((largest, size) => Math.max(largest, size), 0);
}

function ifAllKnown(values: readonly (number | null)[], of: (known: number[]) => number): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === values.length ? of(known) : null;
}

function nothing(): null {
  return null;
}
