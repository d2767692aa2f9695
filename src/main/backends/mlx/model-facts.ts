import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModelFacts } from './validate';

const count = z.number().int().positive().optional().catch(undefined);
const textConfig = z.object({ vocab_size: count, max_position_embeddings: count });
/** Models with several parts keep the text part's figures one level down. */
const configSchema = textConfig.extend({ text_config: textConfig.optional().catch(undefined) });

/**
 * What is known of the model folders in use, read once each. A model that is loaded keeps the configuration that it was
 * loaded with, so `forget` belongs to each load.
 */
export class KnownFacts {
  readonly #byFolder = new Map<string, Promise<ModelFacts>>();

  of(folder: string): Promise<ModelFacts> {
    const known = this.#byFolder.get(folder) ?? readModelFacts(folder);
    this.#byFolder.set(folder, known);
    return known;
  }

  forget(): void {
    this.#byFolder.clear();
  }
}

/** Reads a model folder's `config.json`; what it does not say is null, an unreadable one says nothing. */
async function readModelFacts(folder: string): Promise<ModelFacts> {
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
