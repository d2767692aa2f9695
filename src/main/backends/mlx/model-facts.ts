import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModelFacts } from './validate';

const count = z.number().int().positive().optional().catch(undefined);
const textConfig = z.object({ vocab_size: count, max_position_embeddings: count });
/** Models with several parts keep the text part's figures one level down. */
const configSchema = textConfig.extend({ text_config: textConfig.optional().catch(undefined) });

/** Reads a model folder's `config.json`; what it does not say is null, an unreadable one says nothing. */
export async function readModelFacts(folder: string): Promise<ModelFacts> {
  try {
    const config = configSchema.parse(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')));
    const text = config.text_config;
    return {
      vocabSize: config.vocab_size ?? text?.vocab_size ?? null,
      contextLength: config.max_position_embeddings ?? text?.max_position_embeddings ?? null,
    };
  } catch {
    return { vocabSize: null, contextLength: null };
  }
}
