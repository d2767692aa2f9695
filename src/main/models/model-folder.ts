import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModelInfo } from '../../shared/domain';
import { weightOf } from '../../shared/domain';

/** A model folder that `mlx_lm` can load. */
export interface FoundModel {
  info: ModelInfo;
  /** Folder with config.json, tokenizer and safetensors; never shown to a client. */
  path: string;
}

/** A folder that looks like a model but cannot be loaded, and why. */
export interface BrokenModel {
  name: string;
  reason: 'weights_missing' | 'download_unfinished' | 'config_unreadable';
}

const configSchema = z.object({
  model_type: z.string(),
  max_position_embeddings: z.number().optional(),
  text_config: z.object({ max_position_embeddings: z.number().optional() }).optional(),
  quantization: z.object({ bits: z.number(), group_size: z.number().optional() }).optional(),
});
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Reads one folder. `null` = no model there at all; a broken one tells what is wrong with it.
 * `name` is how clients call it. `starter` marks the model bundled with the app.
 */
export async function readModelFolder(
  path: string,
  name: string,
  starter = false,
): Promise<{ found: FoundModel } | { broken: BrokenModel } | null> {
  const names: string[] = await readdir(path).catch(() => []);
  if (!names.includes('config.json')) return null;
  const config = await readJson(join(path, 'config.json'), configSchema);
  if (!config) return { broken: { name, reason: 'config_unreadable' } };
  const weights = names.filter((file) => file.endsWith('.safetensors'));
  if (names.some((file) => file.endsWith('.incomplete') || file.endsWith('.part'))) {
    return { broken: { name, reason: 'download_unfinished' } };
  }
  if (names.includes('model.safetensors.index.json')) {
    const index = await readJson(join(path, 'model.safetensors.index.json'), indexSchema);
    const shards = index ? new Set(Object.values(index.weight_map)) : null;
    if (!shards || [...shards].some((shard) => !weights.includes(shard))) {
      return { broken: { name, reason: 'download_unfinished' } };
    }
  }
  // Not a language model, such as one for pictures or speech; unfinished ones are told apart above.
  if (!names.some((file) => file.startsWith('tokenizer'))) return null;
  if (weights.length === 0) return { broken: { name, reason: 'weights_missing' } };
  // `stat` follows the links that a Hugging Face snapshot consists of; a dangling one is an unfinished download.
  const stats = await Promise.all(weights.map((file) => stat(join(path, file)).catch(() => null)));
  if (stats.some((entry) => entry === null || entry.size === 0)) {
    return { broken: { name, reason: 'download_unfinished' } };
  }
  const sizeBytes = stats.reduce((sum, entry) => sum + (entry?.size ?? 0), 0);
  const bits = config.quantization?.bits ?? 16;
  const billions = billionsFromName(name) ?? billionsFromSize(sizeBytes, bits);
  const newest = Math.max(...stats.map((entry) => entry?.mtimeMs ?? 0));
  return {
    found: {
      path,
      info: {
        backend: 'mlx',
        name,
        sizeBytes,
        billions,
        quantisation: config.quantization ? `${bits}-bit` : null,
        contextLength: config.max_position_embeddings ?? config.text_config?.max_position_embeddings ?? null,
        weight: weightOf(billions),
        starter,
        remote: false,
        capabilities: ['completion'],
        modifiedAt: new Date(newest).toISOString(),
      },
    },
  };
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

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}
