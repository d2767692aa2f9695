import { z } from 'zod';

/**
 * What mlx-lm 0.32.2 can load, from `_get_classes` and `load_model` in mlx_lm/utils.py: the values of `model_type` that
 * name a module of mlx_lm/models with a model, and the older names in `MODEL_REMAPPING`.
 */
export const LOADABLE_TYPES: ReadonlySet<string> = new Set(
  `Klear afm7 afmoe apertus baichuan_m1 bailing_hybrid bailing_moe bailing_moe_linear bailing_moe_v3 bitnet cohere
  cohere2 dbrx deepseek deepseek_v2 deepseek_v3 deepseek_v32 deepseek_v41 dots1 ernie4_5 ernie4_5_moe exaone exaone4
  exaone_moe falcon_h1 gear gemma gemma2 gemma3 gemma3_text gemma3n gemma4 gemma4_text glm glm4 glm4_moe glm4_moe_lite
  glm_moe_dsa gpt2 gpt_bigcode gpt_neox gpt_oss gptj granite granitemoe granitemoehybrid helium hunyuan
  hunyuan_v1_dense internlm2 internlm3 iquestloopcoder jamba kimi_k25 kimi_k3 kimi_linear kimi_vl laguna lfm2-vl lfm2
  lfm2_moe lille-130m llama llama4 llama4_text longcat_flash longcat_flash_ngram mamba mamba2 mellum mimo mimo_v2_flash
  minicpm minicpm3 minimax minimax_m3_vl ministral3 mistral3 mistral4 mixtral muse_glimmer muse_spark nanbeige nanochat
  nemotron-nas nemotron nemotron_h olmo olmo2 olmo3 olmo_hybrid olmoe openelm phi phi3 phi3small phimoe phixtral pixtral
  plamo plamo2 plamo3 prism_hadamard_qwen35 qwen qwen2 qwen2_moe qwen2_vl qwen3 qwen3_5 qwen3_5_moe qwen3_moe qwen3_next
  qwen3_vl qwen3_vl_moe recurrent_gemma rwkv7 seed_oss smollm3 solar_open spark2_5 stablelm starcoder2 step3p5 talkie
  telechat3 youtu_llm
  mistral llava phi-msft falcon_mamba joyai_llm_flash kimi_k2 qwen2_5_vl minimax_m2 iquestcoder xverse gemma4_unified
  deepseek_v41_text`.split(/\s+/),
);

/** Types whose module converts FP8 weights itself; in all others the FP8 scales are unknown weights. */
const FP8_TYPES: ReadonlySet<string> = new Set(
  `deepseek_v3 joyai_llm_flash kimi_k2 kimi_k25 deepseek_v32 glm_moe_dsa deepseek_v41 deepseek_v41_text mimo_v2_flash
  minimax minimax_m2 minimax_m3_vl ministral3 mistral3 mistral4 llava`.split(/\s+/),
);
/** Types of this list for which transformers has a tokenizer (`TOKENIZER_MAPPING_NAMES`), whatever its class's name. */
export const TOKENIZER_TYPES: ReadonlySet<string> = new Set(
  `cohere cohere2 dbrx ernie4_5 ernie4_5_moe falcon_mamba gemma gemma2 gemma3 gemma3_text gemma3n glm glm4 glm4_moe
  glm4_moe_lite gpt2 gpt_bigcode gpt_neox gptj granite granitemoe granitemoehybrid internlm2 internlm3 iquestcoder jamba
  kimi_k25 kimi_linear llava mamba mamba2 mimo_v2_flash minicpm3 minimax_m2 ministral3 mistral mistral3 mixtral nemotron
  olmo olmo2 olmo3 olmo_hybrid olmoe phi phi3 phimoe pixtral qwen2 qwen2_5_vl qwen2_moe qwen2_vl qwen3 qwen3_5
  qwen3_5_moe qwen3_moe qwen3_next qwen3_vl qwen3_vl_moe recurrent_gemma stablelm starcoder2`.split(/\s+/),
);
/** Tokenizers of transformers that language models use. */
const TOKENIZERS =
  /^(?:PreTrained|TokenizersBackend$|PythonBackend$|(?:Bert|Bloom|CodeLlama|Cohere|Gemma|GPT2|GPTNeoX|Llama|Qwen2|Qwen3_5|T5|Whisper|XLMRoberta)Tokenizer(?:Fast)?$)/;

/** `_compressed_tensors_quantization` in mlx_lm/utils.py. */
const PACKED_FORMATS = ['nvfp4-pack-quantized', 'mxfp4-pack-quantized', 'pack-quantized'];

/** Arrays of quantised weights that mlx-lm loads only if it converts them: GPTQ, AWQ, FP8, bitsandbytes, HQQ. */
const PACKED_ARRAY =
  /\.(?:qweight|qzeros|weight_packed|weight_scale\w*|input_scale|SCB|absmax|quant_map|W_q)$|\.quant_state\./;

const field = z.unknown().optional();
/** `quantization_config`: how another program has quantised the weights. */
export const foreignQuantisation = z.object({
  quant_method: field,
  format: field,
  bits: field,
  scale_fmt: field,
  weight_block_size: field,
  quant_algo: field,
  quantization: z.object({ quant_algo: field }).optional().catch(undefined),
});
type ForeignQuantisation = z.infer<typeof foreignQuantisation>;

/**
 * `ours`: not quantised, or by MLX; otherwise what mlx-lm does with weights of another program: it converts them, rejects
 * the model, or loads them as if they were not quantised.
 */
export type Quantisation = 'ours' | 'converted' | 'rejected' | 'ignored';

/** What mlx-lm does with weights that another program has quantised like this. */
export function quantisationOf(foreign: ForeignQuantisation, type: string): Quantisation {
  switch (foreign.quant_method) {
    case 'bitnet':
    case 'mxfp4':
    case 'mxfp8':
      return 'converted';
    case 'fp8':
      return FP8_TYPES.has(type) || isMxfp8(foreign) ? 'converted' : 'ignored';
    case 'compressed-tensors':
      return PACKED_FORMATS.some((format) => format === foreign.format) ? 'converted' : 'rejected';
    case 'modelopt':
      return (foreign.quantization ?? foreign).quant_algo === 'NVFP4' ? 'converted' : 'rejected';
    case 'awq':
    case 'gptq':
      return (foreign.bits ?? 4) === 4 ? 'converted' : 'rejected';
    default:
      return 'ignored';
  }
}

/** Does mlx-lm reject a model with this array? It rejects group indices (`_transform_awq_weights`) and unknown arrays. */
export function isRejectedArray(array: string, quantisation: Quantisation): boolean {
  return array.endsWith('.g_idx') || (quantisation !== 'converted' && PACKED_ARRAY.test(array));
}

/** Is the tokenizer code in the model's folder, which nothing in transformers replaces (`AutoTokenizer`)? */
export function needsOwnTokenizerCode(autoMap: unknown, className: string | null, type: string): boolean {
  const isNamed = Array.isArray(autoMap) || Object.hasOwn(Object(autoMap), 'AutoTokenizer');
  return isNamed && !TOKENIZER_TYPES.has(type) && !(className !== null && TOKENIZERS.test(className));
}

function isMxfp8({ scale_fmt: scale, weight_block_size: block }: ForeignQuantisation): boolean {
  return scale === 'ue8m0' && JSON.stringify(block) === '[32,32]';
}
