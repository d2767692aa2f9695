import { join } from 'node:path';
import { z } from 'zod';
import { readBeginning } from './regular-file';

const count = z.number().int().positive().optional().catch(undefined);
const figures = z.object({ max_position_embeddings: count, vocab_size: count });

/** The fields that the scanner reads of a `config.json`; an invalid field counts as absent. */
const configSchema = figures.extend({
  model_type: z.string(),
  architectures: z.array(z.string()).optional().catch(undefined),
  is_encoder_decoder: z.boolean().optional().catch(undefined),
  /** Models with several parts have the text part's figures one level down. */
  text_config: figures.optional().catch(undefined),
  vision_config: z.unknown().optional(),
  quantization: z.object({ bits: z.number() }).optional().catch(undefined),
});
export type ModelConfig = z.infer<typeof configSchema>;

/** Heads that generate text, by their names in transformers. */
const WRITES_TEXT = /ForCausalLM|ForConditionalGeneration|LMHeadModel/;

/** Null if it does not describe a model: other programs also name their files `config.json`. */
export function parseConfig(json: unknown): ModelConfig | null {
  return configSchema.safeParse(json).data ?? null;
}

/** Can mlx-lm run it? The model must generate text, without an encoder in front (speech, translation). */
export function isLanguageModel({ architectures, is_encoder_decoder: encoder }: ModelConfig): boolean {
  if (encoder) return false;
  return architectures === undefined || architectures.some((name) => WRITES_TEXT.test(name));
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
