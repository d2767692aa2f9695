import { z } from 'zod';

/** Properties that determine how much memory one token of context takes. */
export interface KvShape {
  layers: number;
  /** Heads that keep keys and values; fewer than the attention heads if groups share them. */
  kvHeads: number;
  headDim: number;
  /** Bytes of one number; the cache has the type of the activations, even if the weights are quantised. */
  elementBytes: number;
}

const count = z.number().int().positive();
const shapeConfig = z.object({
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  hidden_size: count,
  torch_dtype: z.string().nullish(),
  dtype: z.string().nullish(),
  /** Latent attention does not keep keys and values for each head. */
  kv_lora_rank: count.nullish(),
  /** Layers without attention keep a state of fixed size. */
  layer_types: z.array(z.string()).nullish(),
});
const configSchema = z.union([
  shapeConfig,
  z.object({ text_config: shapeConfig }).transform((c) => c.text_config),
]);

/**
 * Bytes that one token of context takes: a key and a value of `headDim` numbers for each of `kvHeads` heads in each
 * layer. Source of the formula: the arrays that `KVCache.update_and_fetch` allocates (mlx_lm/models/cache.py), and for
 * shared heads Ainslie et al., "GQA", 2023.
 */
export function kvBytesPerToken({ layers, kvHeads, headDim, elementBytes }: KvShape): number {
  return 2 * layers * kvHeads * headDim * elementBytes;
}

/** The shape from a model's `config.json`; null if the file lacks it, or the context has another form. */
export function kvShapeOf(config: unknown): KvShape | null {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success || parsed.data.kv_lora_rank) return null;
  const { num_hidden_layers, num_attention_heads, num_key_value_heads, head_dim, hidden_size } = parsed.data;
  const attends = parsed.data.layer_types?.filter(keepsTokens).length;
  return {
    layers: attends || num_hidden_layers,
    kvHeads: num_key_value_heads ?? num_attention_heads,
    headDim: head_dim ?? Math.floor(hidden_size / num_attention_heads),
    elementBytes: (parsed.data.torch_dtype ?? parsed.data.dtype)?.includes('32') ? 4 : 2,
  };
}

/** Linear attention keeps a state of fixed size; a sliding window counts in full, as an upper bound. */
function keepsTokens(layerType: string): boolean {
  return layerType.includes('attention') && layerType !== 'linear_attention';
}
