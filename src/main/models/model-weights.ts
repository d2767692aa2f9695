import { join } from 'node:path';
import { z } from 'zod';
import { isWeightsFile } from '../memory/model-needs';
import { isRejectedArray, type Quantisation } from './mlx-loader';
import { readJson } from './regular-file';
import { readWeights, type Weights } from './safetensors';

/** A file that another program is still writing, by its ending. */
export const UNFINISHED = /\.(?:incomplete|part|download)$/;
const INDEX = 'model.safetensors.index.json';
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });
const MAX_INDEX_BYTES = 16 * 1024 * 1024;
/** One of several weights files, without an index: its number and their count. */
const SHARD = /-(\d{5,6})-of-(\d{5,6})\.safetensors$/;

/** `missing`: no weights at all; `unfinished`: the first file that is missing or truncated; `rejected` by mlx-lm. */
export type ModelWeights = Weights[] | 'missing' | 'rejected' | { unfinished: string };

/**
 * Reads the headers of the weights that mlx-lm would load from a folder that contains `names`: every
 * `model*.safetensors`, whatever the index lists. mlx-lm rejects a model of which an array is missing. Only it knows all
 * arrays of a type; here the index, the names of shards and the number of `layers` (null = unknown) show what is missing.
 */
export function readModelWeights(
  path: string,
  names: readonly string[],
  { layers, quantisation }: { layers: number | null; quantisation: Quantisation },
): ModelWeights {
  const files = names.filter(isWeightsFile);
  const absent = absentArrays(path, names);
  const partial = unfinishedWeights(names);
  if (files.length === 0) {
    const [unfinished] = [partial, ...absent.values()].filter((file) => file !== undefined);
    return unfinished === undefined ? 'missing' : { unfinished };
  }
  let isRejected = false;
  const onName = (name: string) => {
    absent.delete(name);
    isRejected ||= isRejectedArray(name, quantisation);
  };
  // Names are needed rarely, and to cut them out takes longer than the rest.
  const isNamed = absent.size > 0 || quantisation !== 'ours';
  const weights: Weights[] = [];
  // One at a time: the headers of many files at once would add up in memory.
  for (const file of files) {
    const read = readWeights(join(path, file), isNamed ? onName : null);
    if (!read) return { unfinished: file };
    weights.push(read);
  }
  if (isRejected) return 'rejected';
  const [fileOfAbsent] = absent.values();
  const unfinished = fileOfAbsent ?? missingShard(files) ?? fileOfMissingLayer(weights, layers, partial);
  return unfinished === null ? weights : { unfinished };
}

/** The file that probably contains a missing layer. With unknown layers, a file that is being written counts. */
function fileOfMissingLayer(
  weights: readonly Weights[],
  layers: number | null,
  partial: string | undefined,
): string | null {
  const found = new Set(weights.flatMap((file) => [...file.layers]));
  if (layers === null || found.size === 0) return partial ?? null;
  for (let layer = 0; layer < layers; layer += 1) {
    if (!found.has(layer)) return partial ?? 'model.safetensors';
  }
  return null;
}

/**
 * The arrays of the index whose files are missing, and these files. An index of which no file is here describes other
 * files (a model that was converted or merged later), unless there are no weights at all.
 */
function absentArrays(path: string, names: readonly string[]): Map<string, string> {
  const json = names.includes(INDEX) ? readJson(join(path, INDEX), MAX_INDEX_BYTES) : undefined;
  const all = Object.entries(indexSchema.safeParse(json).data?.weight_map ?? {});
  const present = new Set(names.filter(isWeightsFile));
  const isOfThese = present.size === 0 || all.some(([, file]) => present.has(file));
  return new Map(isOfThese ? all.filter(([, file]) => !present.has(file)) : []);
}

/** A weights file of which only a part is here. */
function unfinishedWeights(names: readonly string[]): string | undefined {
  return names
    .filter((name) => UNFINISHED.test(name))
    .map((name) => name.replace(UNFINISHED, ''))
    .find((name) => isWeightsFile(name) && !names.includes(name));
}

/** The first missing file of a numbered set, if there are no weights besides this set. */
function missingShard(files: readonly string[]): string | null {
  const [first = ''] = files;
  const count = SHARD.exec(first)?.[2];
  if (count === undefined) return null;
  const inSet = new Set(files.filter((file) => SHARD.exec(file)?.[2] === count));
  if (inSet.size < files.length) return null;
  for (let number = 1; number <= Number(count); number += 1) {
    const shard = first.replace(
      SHARD,
      `-${String(number).padStart(count.length, '0')}-of-${count}.safetensors`,
    );
    if (!inSet.has(shard)) return shard;
  }
  return null;
}
