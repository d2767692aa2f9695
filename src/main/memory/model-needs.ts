import type { KvShape } from './kv-cache';

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
