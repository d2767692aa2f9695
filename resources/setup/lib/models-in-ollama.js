import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of the models that this and earlier versions of Tandem create in their own Ollama. */
const ownNames = ['tandem-smollm2-135m', 'tandem-starter'];

/**
 * Files of Tandem's own models in the user's Ollama model folder: their manifests, and the blobs that no other model
 * uses. Empty if there are none, or if a manifest cannot be read (then no blob is known to be unused).
 *
 * @param {import('./paths.js').Place} place
 * @returns {string[]} paths
 */
export function modelsInOllama({ env, home }) {
  const models = env.OLLAMA_MODELS || join(home, '.ollama', 'models');
  const library = join(models, 'manifests', 'registry.ollama.ai', 'library');
  const own = ownNames.map((name) => join(library, name)).filter((path) => existsSync(path));
  if (own.length === 0) return [];
  try {
    const manifests = filesIn(join(models, 'manifests'));
    const isOwn = (path) => own.some((folder) => path.startsWith(`${folder}/`));
    const usedByOthers = new Set(manifests.filter((path) => !isOwn(path)).flatMap(digestsOf));
    const unused = new Set(
      manifests
        .filter(isOwn)
        .flatMap(digestsOf)
        .filter((digest) => !usedByOthers.has(digest)),
    );
    const blobs = [...unused].map((digest) => join(models, 'blobs', digest.replace(':', '-')));
    return [...own, ...blobs.filter((path) => existsSync(path))];
  } catch {
    return [];
  }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** @returns {string[]} `sha256:…` of a manifest's config and layers */
function digestsOf(path) {
  const { config, layers } = JSON.parse(readFileSync(path, 'utf8'));
  return [config, ...layers]
    .map(({ digest }) => digest)
    .filter((digest) => /^sha256:[0-9a-f]{64}$/.test(digest));
}
