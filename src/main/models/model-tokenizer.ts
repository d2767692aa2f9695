import { join } from 'node:path';
import { z } from 'zod';
import { needsOwnTokenizerCode } from './mlx-loader';
import { endsAsObject, readPythonJson, statOf } from './regular-file';

const configSchema = z.object({
  tokenizer_class: z.string().nullish().catch(undefined),
  auto_map: z.unknown().optional(),
});
const CONFIG = 'tokenizer_config.json';
/** The files that mlx-lm reads, or would block on. */
const FILES = [
  ...['tokenizer.json', 'tokenizer.model', 'vocab.json', 'merges.txt'],
  ...[CONFIG, 'special_tokens_map.json', 'added_tokens.json'],
];
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;
/** Classes of transformers that build a tokenizer from `vocab.json` and `merges.txt`, and types that use one of them. */
const FROM_MERGES = /^(?:GPT2|GPTNeoX|Qwen2|Qwen3_5)Tokenizer(?:Fast)?$/;
const MERGES_TYPES = /^(?:qwen2|qwen3|gpt2$|gptj$|starcoder2$)/;

/**
 * The first file of the tokenizer that is missing or damaged; null = mlx-lm can load the tokenizer. `rejected`: the
 * tokenizer is code in the folder, which mlx-lm does not run without the user's explicit permission.
 */
export function checkTokenizer(
  path: string,
  names: readonly string[],
  type: string,
): { missing: string } | 'rejected' | null {
  const sizes = new Map(
    FILES.filter((name) => names.includes(name)).flatMap((name) => {
      const stats = statOf(join(path, name));
      return stats ? [[name, stats.isFile() ? stats.size : null] as const] : [];
    }),
  );
  const isDamaged = (name: string, size: number | null) =>
    size === null || (name.endsWith('.json') && !endsAsObject(join(path, name)));
  const [damaged] = [...sizes].find(([name, size]) => isDamaged(name, size)) ?? [];
  if (damaged !== undefined) return { missing: damaged };
  const json = sizes.has(CONFIG) ? readPythonJson(join(path, CONFIG), MAX_CONFIG_BYTES) : {};
  const config = configSchema.safeParse(json).data;
  if (!config) return { missing: CONFIG };
  const { tokenizer_class: given, auto_map: map } = config;
  if (map && needsOwnTokenizerCode(map, given ?? null, type)) return 'rejected';
  if (sizes.has('tokenizer.json') || sizes.get('tokenizer.model')) return null;
  const isFromMerges = given ? FROM_MERGES.test(given) : MERGES_TYPES.test(type);
  return isFromMerges && sizes.has('vocab.json') && sizes.has('merges.txt')
    ? null
    : { missing: 'tokenizer.json' };
}
