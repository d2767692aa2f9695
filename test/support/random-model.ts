import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface RandomModelSize {
  hidden: number;
  layers: number;
}

/** 0.1 M parameters: loads at once. */
export const TINY: RandomModelSize = { hidden: 64, layers: 2 };
/** 7 M parameters: slow enough on a CPU to be caught in the middle of an answer. */
export const SLOW: RandomModelSize = { hidden: 384, layers: 5 };

const SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
/** llama.cpp refuses a tokenizer without merges. */
const MERGE = ['t', 'h'];
const CHAT_TEMPLATE =
  "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
  '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';
const CONTEXT_LENGTH = 2048;

/**
 * Writes a Llama with random weights and a byte-level tokenizer: it babbles until it is stopped, which is what tests
 * of cancelling and of crashes need. The same size and seed give the same files.
 */
export async function writeRandomModel(folder: string, size: RandomModelSize, seed = 1): Promise<string> {
  await mkdir(folder, { recursive: true });
  const vocabulary = byteVocabulary();
  const config = modelConfig(size, vocabulary.length);
  const texts: Record<string, unknown> = {
    'config.json': config,
    'tokenizer.json': tokenizer(vocabulary),
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: '<|im_end|>',
      chat_template: CHAT_TEMPLATE,
    },
  };
  for (const [name, value] of Object.entries(texts)) {
    await writeFile(join(folder, name), JSON.stringify(value, null, 1));
  }
  await writeFile(join(folder, 'model.safetensors'), safetensors(tensorShapes(config), seed));
  return folder;
}

function modelConfig({ hidden, layers }: RandomModelSize, vocabSize: number) {
  return {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    hidden_size: hidden,
    num_hidden_layers: layers,
    intermediate_size: hidden * 3,
    num_attention_heads: hidden / 32,
    num_key_value_heads: hidden / 32,
    head_dim: 32,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    vocab_size: vocabSize,
    rope_theta: 10_000,
    max_position_embeddings: CONTEXT_LENGTH,
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 0,
    eos_token_id: vocabSize - 1,
    torch_dtype: 'float16',
  };
}

/** GPT-2's printable stand-ins for the 256 bytes, then the special tokens. */
function byteVocabulary(): string[] {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(printable(byte) ? byte : next++),
  );
  return [...bytes, MERGE.join(''), ...SPECIAL];
}

function tokenizer(vocabulary: string[]) {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content) => ({
      id: vocabulary.indexOf(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges: [MERGE.join(' ')],
    },
  };
}

function tensorShapes(config: ReturnType<typeof modelConfig>): Map<string, number[]> {
  const { hidden_size: hidden, intermediate_size: inner } = config;
  const shapes = new Map<string, number[]>([['model.embed_tokens.weight', [config.vocab_size, hidden]]]);
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const name = (part: string) => `model.layers.${layer}.${part}.weight`;
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'o_proj']) {
      shapes.set(name(`self_attn.${part}`), [hidden, hidden]);
    }
    shapes.set(name('mlp.gate_proj'), [inner, hidden]);
    shapes.set(name('mlp.up_proj'), [inner, hidden]);
    shapes.set(name('mlp.down_proj'), [hidden, inner]);
    shapes.set(name('input_layernorm'), [hidden]);
    shapes.set(name('post_attention_layernorm'), [hidden]);
  }
  shapes.set('model.norm.weight', [hidden]);
  return shapes;
}

/** One-dimensional tensors (norms) are ones, the rest evenly spread around zero. Format: length, JSON header, data. */
function safetensors(shapes: Map<string, number[]>, seed: number): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, shape] of shapes) {
    const bytes = 2 * shape.reduce((product, side) => product * side, 1);
    header[name] = { dtype: 'F16', shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  let text = JSON.stringify(header);
  text += ' '.repeat((8 - (text.length % 8)) % 8);
  const data = new Uint16Array(offset / 2);
  let at = 0;
  let state = seed >>> 0 || 1;
  for (const shape of shapes.values()) {
    const count = shape.reduce((product, side) => product * side, 1);
    if (shape.length === 1) data.fill(0x3c00, at, at + count);
    else {
      for (let i = at; i < at + count; i += 1) {
        // xorshift32; the low ten bits are the mantissa of a number between 2^-5 and 2^-4, bit 31 its sign.
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        data[i] = 0x2800 | (state & 0x3ff) | ((state >>> 16) & 0x8000);
      }
    }
    at += count;
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text, 'latin1'), Buffer.from(data.buffer)]);
}
