import { join } from 'node:path';
import { z } from 'zod';
import { readBeginning } from './regular-file';

const count = z.number().int().positive().optional().catch(undefined);
const figures = z.object({ max_position_embeddings: count, vocab_size: count });

/** What the scanner reads of a `config.json`; a field of another form counts as absent. */
const configSchema = figures.extend({
  model_type: z.string(),
  architectures: z.array(z.string()).optional().catch(undefined),
  is_encoder_decoder: z.boolean().optional().catch(undefined),
  /** Models with several parts keep the text part's figures one level down. */
  text_config: figures.optional().catch(undefined),
  vision_config: z.unknown().optional(),
  quantization: z.object({ bits: z.number() }).optional().catch(undefined),
});
export type ModelConfig = z.infer<typeof configSchema>;

/** Heads that write text, by the names that transformers gives them. */
const WRITES_TEXT = /ForCausalLM|ForConditionalGeneration|LMHeadModel/;

/** Null when it describes no model of ours: other programs call their own files `config.json` as well. */
export function parseConfig(json: unknown): ModelConfig | null {
  return configSchema.safeParse(json).data ?? null;
}

/** Is it of the kind that mlx-lm runs: one that writes text, without an encoder before it (speech, translation)? */
export function isLanguageModel({ architectures, is_encoder_decoder: encoder }: ModelConfig): boolean {
  if (encoder) return false;
  return architectures === undefined || architectures.some((name) => WRITES_TEXT.test(name));
}

/** Tokens; null = it does not say. */
export function contextLengthOf(config: ModelConfig): number | null {
  return config.max_position_embeddings ?? config.text_config?.max_position_embeddings ?? null;
}

/** Tokens that it knows; null = it does not say. */
export function vocabSizeOf(config: ModelConfig): number | null {
  return config.vocab_size ?? config.text_config?.vocab_size ?? null;
}

/** Where the chat template may stand, the newer place first. */
const TEMPLATE_FILES = ['chat_template.jinja', 'chat_template.json', 'tokenizer_config.json'];
const MAX_TEMPLATE_BYTES = 1024 * 1024;

/** What a model can do, in Ollama's words, by its configuration and its chat template. */
export function capabilitiesOf(folder: string, names: readonly string[], config: ModelConfig): string[] {
  const file = TEMPLATE_FILES.find((name) => names.includes(name));
  // Searched and not parsed: a tokenizer's configuration lists every special token there is.
  const template = file ? readBeginning(join(folder, file), MAX_TEMPLATE_BYTES) : '';
  return [
    'completion',
    ...(/\btools\b/.test(template) ? ['tools'] : []),
    ...(template.includes('<think>') ? ['thinking'] : []),
    ...(config.vision_config === undefined ? [] : ['vision']),
  ];
}
