import { TandemError } from '../../../shared/errors';

/** A valid name in the public library and registries: host, port, namespace, name, tag. No path, no shell. */
const NAME = /^[a-z0-9][a-z0-9._-]*(?::\d{1,5})?(?:\/[a-z0-9][a-z0-9._-]*){0,3}(?::[a-z0-9][a-z0-9._-]*)?$/i;
const MAX_NAME = 300;

/** The registry of names without a host: Ollama's own. */
const LIBRARY = 'registry.ollama.ai';

/** Where a name leads, by Ollama's rules. */
export interface OllamaName {
  host: string;
  /** Namespace and model. */
  path: string;
  tag: string;
}

/** Throws `bad_model_name`. */
export function checkOllamaName(name: string): void {
  if (name.length <= MAX_NAME && !name.includes('..') && NAME.test(name)) return;
  throw new TandemError(
    'bad_model_name',
    `"${name.slice(0, 80)}" is no model name. Use a name such as qwen2.5:3b.`,
  );
}

/** Parses a name that `checkOllamaName` accepts. */
export function parseOllamaName(name: string): OllamaName {
  const parts = name.split('/');
  const [model = '', tag = 'latest'] = (parts.pop() ?? '').split(':');
  const host = parts.length > 1 ? (parts.shift() ?? LIBRARY) : LIBRARY;
  return { host, path: [...(parts.length > 0 ? parts : ['library']), model].join('/'), tag };
}
