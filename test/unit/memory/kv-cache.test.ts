import { describe, expect, it } from 'vitest';
import { kvBytesPerToken, kvShapeOf } from '../../../src/main/memory/kv-cache';
import { contextCost } from '../../../src/shared/context-cost';

/** Published configurations, reduced to the relevant fields. */
const CONFIGS: [string, object, number | null][] = [
  [
    'Phi-3.5-mini (every head keeps its own)',
    {
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 32,
      hidden_size: 3072,
      torch_dtype: 'bfloat16',
    },
    393_216,
  ],
  [
    'Qwen2.5-32B (eight heads keep for forty)',
    {
      num_hidden_layers: 64,
      num_attention_heads: 40,
      num_key_value_heads: 8,
      hidden_size: 5120,
      torch_dtype: 'bfloat16',
    },
    262_144,
  ],
  [
    'a head size of its own',
    {
      num_hidden_layers: 28,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      head_dim: 128,
      hidden_size: 1024,
    },
    114_688,
  ],
  [
    'numbers of four bytes',
    { num_hidden_layers: 12, num_attention_heads: 16, hidden_size: 1024, dtype: 'float32' },
    98_304,
  ],
  [
    'text part of a vision model',
    { text_config: { num_hidden_layers: 2, num_attention_heads: 4, hidden_size: 64 } },
    512,
  ],
  [
    'latent attention keeps something else',
    { num_hidden_layers: 61, num_attention_heads: 128, hidden_size: 7168, kv_lora_rank: 512 },
    null,
  ],
  ['says nothing', { model_type: 'x' }, null],
];

describe('KV cache', () => {
  it.each(CONFIGS)('%s', (_name, config, expected) => {
    const shape = kvShapeOf(config);
    expect(shape && kvBytesPerToken(shape)).toBe(expected);
  });

  it('counts only the layers with attention', () => {
    const config = { num_hidden_layers: 4, num_attention_heads: 2, hidden_size: 8 };
    const layer_types = ['linear', 'full_attention', 'linear', 'sliding_attention'];
    expect(kvShapeOf({ ...config, layer_types })?.layers).toBe(2);
    const hybrid = ['linear_attention', 'linear_attention', 'linear_attention', 'full_attention'];
    expect(kvShapeOf({ ...config, layer_types: hybrid })?.layers).toBe(1);
  });

  it('grows in steps of 256 tokens', () => {
    const model = { sizeBytes: null, kvBytesPerToken: 4 };
    expect([0, 1, 256, 257].map((tokens) => contextCost(model, tokens))).toEqual([0, 1024, 1024, 2048]);
  });

  it('of unknown shape has the usual maximum, and none without a size', () => {
    const cost = (sizeBytes: number | null) => contextCost({ sizeBytes }, 1000);
    expect([null, 1e9, 1e12].map(cost)).toEqual([0, 183_000_000, 819_200_000]);
  });
});
