import { join } from 'node:path';
import { z } from 'zod';
import { foreignQuantisation, LOADABLE_TYPES, type Quantisation, quantisationOf } from './mlx-loader';
import { readBeginning } from './regular-file';

const count = z.number().int().positive().optional().catch(undefined);
const foreign = foreignQuantisation.optional().catch(undefined);
const figures = z.object({
  max_position_embeddings: count,
  vocab_size: count,
  /** Layers; older types have one of the other names. */
  num_hidden_layers: count,
  num_layers: count,
  n_layers: count,
  n_layer: count,
  quantization_config: foreign,
});

/** The fields that the scanner reads of a `config.json`; an invalid field counts as absent. */
const configSchema = figures.extend({
  model_type: z.string(),
  architectures: z.array(z.string()).optional().catch(undefined),
  is_encoder_decoder: z.boolean().optional().catch(undefined),
  /** Models with several parts have the text part's figures one level down. */
  text_config: figures.optional().catch(undefined),
  vision_config: z.unknown().optional(),
  quantization: z.object({ bits: z.number() }).optional().catch(undefined),
  /** A Python file that builds the model; mlx-lm runs none without the user's explicit permission. */
  model_file: z.unknown().optional(),
});
export type ModelConfig = z.infer<typeof configSchema>;

/** Heads that generate text, by their names in transformers. */
const WRITES_TEXT = /ForCausalLM|ForConditionalGeneration|LMHeadModel/;

/** Null if it does not describe a model: other programs also name their files `config.json`. */
export function parseConfig(json: unknown): ModelConfig | null {
  return configSchema.safeParse(json).data ?? null;
}

/**
 * Can mlx-lm run it? It needs code for the type and the quantisation, and the model must generate text, without an
 * encoder in front (speech, translation): mlx-lm does not look at the heads, but the weights of others do not match.
 */
export function isLoadable(config: ModelConfig): boolean {
  const { model_type: type, architectures: heads } = config;
  if (config.is_encoder_decoder || !LOADABLE_TYPES.has(type) || howQuantised(config) === 'rejected')
    return false;
  if (config.model_file !== undefined && config.model_file !== null) return false;
  return !heads?.length || heads.some((name) => WRITES_TEXT.test(name));
}

/** Who has quantised the weights, and what mlx-lm does with them. */
export function howQuantised(config: ModelConfig): Quantisation {
  const foreign = config.quantization_config ?? config.text_config?.quantization_config;
  return foreign && !config.quantization ? quantisationOf(foreign, config.model_type) : 'ours';
}

/** Types in which some layers have no weights, or are counted apart from the others. */
const IRREGULAR_TYPES = ['nemotron-nas', 'afm7'];

/** Layers of the text part, each with weights of its own number; null = not given. */
export function layersOf(config: ModelConfig): number | null {
  if (IRREGULAR_TYPES.includes(config.model_type)) return null;
  const given = [config, config.text_config].flatMap((part) =>
    part ? [part.num_hidden_layers, part.num_layers, part.n_layers, part.n_layer] : [],
  );
  return given.find((layers) => layers !== undefined) ?? null;
}

/** Tokens; null = not given. */
export function contextLengthOf(config: ModelConfig): number | null {
  return config.max_position_embeddings ?? config.text_config?.max_position_embeddings ?? null;
}

/** Size of the vocabulary in tokens; null = not given. */
export function vocabSizeOf(config: ModelConfig): number | null {
  return config.vocab_size ?? config.text_config?.vocab_size ?? null;
}

/** Files that may contain the chat template, the newer location first. */
const TEMPLATE_FILES = ['chat_template.jinja', 'chat_template.json', 'tokenizer_config.json'];
const MAX_TEMPLATE_BYTES = 1024 * 1024;

/** Capabilities in Ollama's terms, from the model's configuration and chat template. */
export function capabilitiesOf(folder: string, names: readonly string[], config: ModelConfig): string[] {
  const file = TEMPLATE_FILES.find((name) => names.includes(name));
  // Searched, not parsed: a tokenizer's configuration lists every special token.
  const template = file ? readBeginning(join(folder, file), MAX_TEMPLATE_BYTES) : '';
  return [
    'completion',
    ...(/\btools\b/.test(template) ? ['tools'] : []),
    ...(template.includes('<think>') ? ['thinking'] : []),
    ...(config.vision_config === undefined ? [] : ['vision']),
  ];
}
