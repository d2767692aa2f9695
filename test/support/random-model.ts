import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface RandomModelSize {
  hidden: number;
  layers: number;
}

/** 0.1 M parameters: loads at once. */
export const TINY: RandomModelSize = { hidden: 64, layers: 2 };
/** 7 M parameters: slow enough on a CPU to be interrupted in the middle of an answer. */
export const SLOW: RandomModelSize = { hidden: 384, layers: 5 };

const SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
/** llama.cpp rejects a tokenizer without merges. */
const MERGE = ['t', 'h'];
const CHAT_TEMPLATE =
  "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
  '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';
const CONTEXT_LENGTH = 2048;
/** 1.0 in half precision. */
const ONE = 0x3c00;

/**
 * Writes a Llama with random weights and a byte-level tokenizer: it writes random text until it is stopped, as tests of
 * cancelling and crashes need. The same size and seed give the same files.
 */
export async function writeRandomModel(folder: string, size: RandomModelSize, seed = 1): Promise<string> {
  const vocabulary = byteVocabulary([]);
  const random = randomNumbers(seed);
  return writeModel(folder, modelConfig(size, vocabulary.length), vocabulary, (name, shape, weights) => {
    random(name, shape, weights);
    if (name !== 'model.embed_tokens.weight') return;
    const [rows = 0, columns = 0] = shape;
    // Ollama ends an answer after 30 tokens without a letter (half characters, spaces): these tokens never win.
    for (let token = 0; token < rows; token += 1) {
      if (!/^[!-~]$/.test(vocabulary[token] ?? '')) weights.fill(0, token * columns, (token + 1) * columns);
    }
  });
}

/**
 * Writes a Llama of that size that answers every prompt with the given words, one token each, and then ends: each
 * missing, doubled or foreign token shows. The width must fit a unit vector for each token.
 */
export async function writeCountingModel(
  folder: string,
  size: RandomModelSize,
  words: readonly string[],
): Promise<string> {
  const vocabulary = byteVocabulary(words);
  if (vocabulary.length > size.hidden) throw new RangeError(`${vocabulary.length} tokens need a wider model`);
  const config = { ...modelConfig(size, vocabulary.length), tie_word_embeddings: false };
  const first = vocabulary.length - SPECIAL.length - words.length;
  const last = first + words.length - 1;
  const end = vocabulary.length - 1;
  const random = randomNumbers(1);
  return writeModel(folder, config, vocabulary, (name, [rows = 0, columns = 0], weights) => {
    // The output of attention and MLP is zeroed, so that only the last token decides.
    if (name.endsWith('o_proj.weight') || name.endsWith('down_proj.weight')) return;
    if (name === 'model.embed_tokens.weight') {
      for (let token = 0; token < rows; token += 1) weights[token * columns + token] = ONE;
    } else if (name === 'lm_head.weight') {
      for (let token = 0; token < rows; token += 1) {
        const counts = token >= first && token < last;
        const next = counts ? token + 1 : token === last ? end : first;
        weights[next * columns + token] = ONE;
      }
    } else random(name, [rows, columns], weights);
  });
}

type Fill = (name: string, shape: readonly number[], weights: Uint16Array) => void;

async function writeModel(
  folder: string,
  config: ReturnType<typeof modelConfig>,
  vocabulary: string[],
  fill: Fill,
): Promise<string> {
  await mkdir(folder, { recursive: true });
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
  await writeFile(join(folder, 'model.safetensors'), safetensors(tensorShapes(config), fill));
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

/** GPT-2's printable stand-ins for the 256 bytes, then whole words, then the special tokens. */
function byteVocabulary(words: readonly string[]): string[] {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(printable(byte) ? byte : next++),
  );
  return [...bytes, MERGE.join(''), ...words, ...SPECIAL];
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
  const { hidden_size: hidden, intermediate_size: inner, tie_word_embeddings: tied } = config;
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
  if (!tied) shapes.set('lm_head.weight', [config.vocab_size, hidden]);
  return shapes;
}

/** One-dimensional tensors (norms) are all ones. Format: length, JSON header, data. */
function safetensors(shapes: Map<string, number[]>, fill: Fill): Buffer {
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
  for (const [name, shape] of shapes) {
    const count = shape.reduce((product, side) => product * side, 1);
    const weights = data.subarray(at, at + count);
    if (shape.length === 1) weights.fill(ONE);
    else fill(name, shape, weights);
    at += count;
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text, 'latin1'), Buffer.from(data.buffer)]);
}

/** Uniformly distributed around zero. */
function randomNumbers(seed: number): Fill {
  let state = seed >>> 0 || 1;
  return (_name, _shape, weights) => {
    for (let i = 0; i < weights.length; i += 1) {
      // xorshift32; the low ten bits are the mantissa of a number between 2^-5 and 2^-4, bit 31 its sign.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      weights[i] = 0x2800 | (state & 0x3ff) | ((state >>> 16) & 0x8000);
    }
  };
}
