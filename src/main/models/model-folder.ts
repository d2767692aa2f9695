import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelInfo } from '../../shared/domain';
import { weightOf } from '../../shared/domain';
import type { ModelFacts } from '../backends/dialects/openai/validate';
import { kvBytesPerToken, kvShapeOf } from '../memory/kv-cache';
import { isWeightsFile, type ModelNeeds } from '../memory/model-needs';
import {
  capabilitiesOf,
  contextLengthOf,
  howQuantised,
  isLoadable,
  layersOf,
  type ModelConfig,
  parseConfig,
  vocabSizeOf,
} from './model-config';
import { checkTokenizer } from './model-tokenizer';
import { readModelWeights, UNFINISHED } from './model-weights';
import { readPythonJson, statOf } from './regular-file';
import type { Weights } from './safetensors';

/** A model folder that `mlx_lm` can load. */
export interface FoundModel {
  info: Omit<ModelInfo, 'backend'>;
  /** Folder with config.json, tokenizer and safetensors; never shown to a client. */
  path: string;
  needs: ModelNeeds;
  facts: ModelFacts;
}

/** A folder that looks like a model but cannot be loaded, why, and which file is missing or truncated. */
export interface BrokenModel {
  name: string;
  reason: 'weights_missing' | 'download_unfinished' | 'config_unreadable';
  file: string;
}

export type ReadFolder = { found: FoundModel } | { broken: BrokenModel };

/** Weights in a format that mlx-lm does not load: a model of another program, not a broken MLX model. */
const OTHER_WEIGHTS = /\.(?:safetensors|bin|gguf|pth?|onnx|h5|msgpack|npz|ckpt)$/;
/** Files whose contents change what the scan reports about a model. */
const READ = /^(?:config\.json|chat_template\.|tokenizer|special_|added_|vocab|merges|model.*\.safetensors)/;
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

/** The names in a folder; empty if it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Fingerprint of a folder: changes when a name in it changes, or the size or time of a file that the scan reads. */
export function stampOf(path: string, names: readonly string[]): string {
  const hash = createHash('sha1');
  for (const name of names) {
    const stats = READ.test(name) ? statOf(join(path, name)) : null;
    hash.update(`${name}\0${stats?.size}\0${stats?.mtimeMs}\0`);
  }
  return hash.digest('base64');
}

/**
 * Reads a folder that contains `names`. `null` = not a model that mlx-lm could load even if complete; a broken one
 * reports the cause. `name` is what clients call it. `small` marks the model that comes with Tandem.
 */
export function readModelFolder(
  path: string,
  names: readonly string[],
  name: string,
  small = false,
): ReadFolder | null {
  if (!names.includes('config.json') || isOfAnotherProgram(names)) return null;
  const broken = (reason: BrokenModel['reason'], file: string) => ({ broken: { name, reason, file } });
  const json = readPythonJson(join(path, 'config.json'), MAX_CONFIG_BYTES);
  // Many programs name their files `config.json`: without weights it says nothing.
  if (json === undefined) return hasWeights(names) ? broken('config_unreadable', 'config.json') : null;
  const config = parseConfig(json);
  if (!config || !isLoadable(config)) return null;
  const tokenizer = checkTokenizer(path, names, config.model_type);
  const weights = readModelWeights(path, names, {
    layers: layersOf(config),
    quantisation: howQuantised(config),
  });
  if (tokenizer === 'rejected' || weights === 'rejected') return null;
  if (weights !== 'missing' && 'unfinished' in weights)
    return broken('download_unfinished', weights.unfinished);
  // Without `architectures` it may be a model for images or sound.
  if (tokenizer !== null && config.architectures === undefined) return null;
  if (weights === 'missing') return broken('weights_missing', 'model.safetensors');
  if (tokenizer !== null) return broken('download_unfinished', tokenizer.missing);
  return { found: describe({ path, name, small }, names, config, json, weights) };
}

function describe(
  { path, name, small }: { path: string; name: string; small: boolean },
  names: readonly string[],
  config: ModelConfig,
  json: unknown,
  weights: readonly Weights[],
): FoundModel {
  const sizeBytes = weights.reduce((sum, file) => sum + file.sizeBytes, 0);
  const largestTensorBytes = Math.max(...weights.map((file) => file.largestTensorBytes));
  const bits = config.quantization?.bits ?? 16;
  const billions = billionsFromName(name) ?? billionsFromSize(sizeBytes, bits);
  const kv = kvShapeOf(json);
  const contextLength = contextLengthOf(config);
  return {
    path,
    info: {
      name,
      sizeBytes,
      billions,
      quantisation: config.quantization ? `${bits}-bit` : null,
      contextLength,
      weight: weightOf(billions),
      small,
      languages: small ? ['en'] : null,
      remote: false,
      capabilities: capabilitiesOf(path, names, config),
      modifiedAt: new Date(Math.max(...weights.map((file) => file.modifiedMs))).toISOString(),
      ...(kv ? { kvBytesPerToken: kvBytesPerToken(kv) } : {}),
    },
    needs: { weightsBytes: sizeBytes, largestTensorBytes, kvBytesPerToken: kv && kvBytesPerToken(kv) },
    facts: { vocabSize: vocabSizeOf(config), contextLength },
  };
}

/** Are there weights, complete or downloading, but none that mlx-lm would load? */
function isOfAnotherProgram(names: readonly string[]): boolean {
  return !hasWeights(names) && names.some((file) => OTHER_WEIGHTS.test(file.replace(UNFINISHED, '')));
}

function hasWeights(names: readonly string[]): boolean {
  return names.some((file) => isWeightsFile(file.replace(UNFINISHED, '')));
}

/** Parameters in billions from a name such as `Qwen2.5-32B-Instruct-4bit` or `phi3.5:3.8b`; null = none in it. */
export function billionsFromName(name: string): number | null {
  const match = /(?:^|[-_:/ ])(\d{1,3}(?:\.\d{1,2})?)b(?![a-z0-9])/i.exec(name);
  if (match?.[1]) return Number(match[1]);
  return /phi-?3(\.5)?-mini/i.test(name) ? 3.8 : null;
}

/** Parameters in billions from bytes and bits per weight; quantised weights add about half a bit of scales. */
export function billionsFromSize(sizeBytes: number, bits: number): number {
  return (sizeBytes * 8) / (bits < 16 ? bits + 0.5 : bits) / 1e9;
}
