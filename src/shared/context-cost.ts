/** Facts of a model that the size of its context depends on; null or absent = unknown. */
export interface ContextFacts {
  /** Bytes of the weights. */
  sizeBytes: number | null;
  /** Bytes of one token of context. */
  kvBytesPerToken?: number | null;
}

/** Caches grow by this many tokens: `KVCache.step` of mlx_lm/models/cache.py; llama.cpp pads a context to it. */
const STEP_TOKENS = 256;
/**
 * For a cache of unknown shape, the largest of the usual models, in which every head keeps its own: per token this share
 * of the weights (Phi-3.5-mini in 4 bits: 393,216 of 2.15 GB), at most `UNKNOWN_KV_BYTES` (Llama-2-13B).
 */
const UNKNOWN_KV_SHARE = 1.83e-4;
const UNKNOWN_KV_BYTES = 819_200;

/**
 * Bytes of memory that a context of `tokens` tokens costs, in addition to the weights: the keys and values of each
 * token. An upper bound if the shape of the cache is unknown; 0 if the weights are unknown too. Pure.
 */
export function contextCost({ sizeBytes, kvBytesPerToken }: ContextFacts, tokens: number): number {
  if (kvBytesPerToken) return Math.ceil(tokens / STEP_TOKENS) * STEP_TOKENS * kvBytesPerToken;
  return tokens * Math.min(UNKNOWN_KV_BYTES, (sizeBytes ?? 0) * UNKNOWN_KV_SHARE);
}
