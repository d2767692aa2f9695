/** Memory that a model needs, as far as its files show. Bytes; null = unknown. */
export interface ModelNeeds {
  weightsBytes: number | null;
  /** The largest single array; it becomes one buffer of the GPU. */
  largestTensorBytes: number | null;
  /** Bytes of one token of context. */
  kvBytesPerToken: number | null;
}

export const UNKNOWN_NEEDS: ModelNeeds = {
  weightsBytes: null,
  largestTensorBytes: null,
  kvBytesPerToken: null,
};

/**
 * Is it a weights file that mlx-lm loads? mlx-lm loads only `model*.safetensors` (`load_model` in mlx_lm/utils.py): a
 * repository may contain the same weights again for another program, as `consolidated.safetensors`.
 */
export function isWeightsFile(name: string): boolean {
  return /^model.*\.safetensors$/.test(name);
}
