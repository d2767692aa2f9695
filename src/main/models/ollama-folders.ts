import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Below `manifests`: host, namespace, model; the tags are files. */
const DEPTH = 3;

/**
 * The folders in which a model of Ollama shows when it comes or goes: its manifests, in `OLLAMA_MODELS` or the user's
 * own folder. Empty where they cannot be read, as with a server that runs as somebody else.
 */
export async function ollamaFolders(
  home: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const root = join(env.OLLAMA_MODELS || join(home, '.ollama', 'models'), 'manifests');
  const found = [root];
  let level = [root];
  for (let depth = 0; depth < DEPTH; depth += 1) {
    level = (await Promise.all(level.map(foldersIn))).flat();
    found.push(...level);
  }
  return found;
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}
