import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModelInfo } from '../../shared/domain';
import { weightOf } from '../../shared/domain';
import { kvBytesPerToken, kvShapeOf } from '../memory/kv-cache';
import { isWeightsFile } from '../memory/model-needs';
import {
  capabilitiesOf,
  contextLengthOf,
  isLanguageModel,
  type ModelConfig,
  parseConfig,
} from './model-config';
import { isComplete } from './safetensors';

/** A model folder that `mlx_lm` can load. */
export interface FoundModel {
  info: ModelInfo;
  /** Folder with config.json, tokenizer and safetensors; never shown to a client. */
  path: string;
}

/** A folder that looks like a model but cannot be loaded, why, and which of its files is missing or cut off. */
export interface BrokenModel {
  name: string;
  reason: 'weights_missing' | 'download_unfinished' | 'config_unreadable';
  file: string;
}

export type ReadFolder = { found: FoundModel } | { broken: BrokenModel };

/** What a folder holds, with the bytes of each file of weights. */
interface Weights {
  file: string;
  bytes: number;
  modifiedMs: number;
}

const INDEX = 'model.safetensors.index.json';
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });
/** Weights in a form that mlx-lm does not load: a model of another program, not a broken one of ours. */
const OTHER_WEIGHTS = /\.(?:safetensors|bin|gguf|pth?|onnx|h5|msgpack|npz|ckpt)$/;
const UNFINISHED = /\.(?:incomplete|part|download)$/;

/**
 * Reads one folder. `null` = no model there that mlx-lm could load even if it were complete; a broken one tells what is
 * wrong with it. `name` is how clients call it. `small` marks the model that Tandem brings along.
 */
export async function readModelFolder(path: string, name: string, small = false): Promise<ReadFolder | null> {
  const names: string[] = await readdir(path).catch(() => []);
  if (!names.includes('config.json')) return null;
  const json = await readJson(join(path, 'config.json'));
  if (json === undefined) return { broken: { name, reason: 'config_unreadable', file: 'config.json' } };
  const config = parseConfig(json);
  if (!config || !isLanguageModel(config) || isOfAnotherProgram(names)) return null;
  const unfinished = names.find((file) => UNFINISHED.test(file));
  if (unfinished) {
    const file = unfinished.replace(UNFINISHED, '');
    return { broken: { name, reason: 'download_unfinished', file } };
  }
  const missing = await missingShard(path, names);
  if (missing) return { broken: { name, reason: 'download_unfinished', file: missing } };
  const hasTokenizer = names.some((file) => file.startsWith('tokenizer'));
  // Without a word about its kind it may be a model for pictures or sound.
  if (!hasTokenizer && config.architectures === undefined) return null;
  const files = names.filter(isWeightsFile);
  if (files.length === 0) return { broken: { name, reason: 'weights_missing', file: 'model.safetensors' } };
  if (!hasTokenizer) return { broken: { name, reason: 'download_unfinished', file: 'tokenizer.json' } };
  const weights = await Promise.all(files.map((file) => readWeights(path, file)));
  const cut = weights.indexOf(null);
  if (cut >= 0) return { broken: { name, reason: 'download_unfinished', file: files[cut] ?? '' } };
  const info = describe(
    name,
    small,
    config,
    weights.filter((entry) => entry !== null),
  );
  const shape = kvShapeOf(json);
  if (shape) info.kvBytesPerToken = kvBytesPerToken(shape);
  info.capabilities = await capabilitiesOf(path, names, config);
  return { found: { path, info } };
}

function describe(name: string, small: boolean, config: ModelConfig, weights: readonly Weights[]): ModelInfo {
  const sizeBytes = weights.reduce((sum, { bytes }) => sum + bytes, 0);
  const bits = config.quantization?.bits ?? 16;
  const billions = billionsFromName(name) ?? billionsFromSize(sizeBytes, bits);
  return {
    backend: 'mlx',
    name,
    sizeBytes,
    billions,
    quantisation: config.quantization ? `${bits}-bit` : null,
    contextLength: contextLengthOf(config),
    weight: weightOf(billions),
    small,
    languages: small ? ['en'] : null,
    remote: false,
    capabilities: [],
    modifiedAt: new Date(Math.max(...weights.map(({ modifiedMs }) => modifiedMs))).toISOString(),
  };
}

/** Are there weights, here or on their way, and none that mlx-lm would load? */
function isOfAnotherProgram(names: readonly string[]): boolean {
  const whole = names.map((file) => file.replace(UNFINISHED, ''));
  return !whole.some(isWeightsFile) && whole.some((file) => OTHER_WEIGHTS.test(file));
}

/** The first file of weights that the index names and the folder lacks; the index itself where it cannot be read. */
async function missingShard(path: string, names: readonly string[]): Promise<string | null> {
  if (!names.includes(INDEX)) return null;
  const index = indexSchema.safeParse(await readJson(join(path, INDEX))).data;
  if (!index) return INDEX;
  const present = new Set(names);
  return Object.values(index.weight_map).find((shard) => !present.has(shard)) ?? null;
}

/** Null for a file that is cut off, or a link of a Hugging Face snapshot whose blob is not there. */
async function readWeights(path: string, file: string): Promise<Weights | null> {
  try {
    const { size, mtimeMs } = await stat(join(path, file));
    return (await isComplete(join(path, file), size)) ? { file, bytes: size, modifiedMs: mtimeMs } : null;
  } catch {
    return null;
  }
}

/** Parameters in billions from a name such as `Qwen2.5-32B-Instruct-4bit` or `phi3.5:3.8b`; null when it has none. */
export function billionsFromName(name: string): number | null {
  const match = /(?:^|[-_:/ ])(\d{1,3}(?:\.\d{1,2})?)b(?![a-z0-9])/i.exec(name);
  if (match?.[1]) return Number(match[1]);
  return /phi-?3(\.5)?-mini/i.test(name) ? 3.8 : null;
}

/** Parameters in billions from bytes and bits per weight; quantised weights carry about half a bit of scales. */
function billionsFromSize(sizeBytes: number, bits: number): number {
  return (sizeBytes * 8) / (bits < 16 ? bits + 0.5 : bits) / 1e9;
}

/** Undefined where there is no JSON. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
