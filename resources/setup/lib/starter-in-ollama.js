import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Name of the bundled model, as the program creates it in the Ollama that it starts. */
const starterName = 'tandem-starter';

const starterFolder = fileURLToPath(new URL('../../models/starter', import.meta.url));

/**
 * What the starter model takes up in the user's Ollama model folder: its manifest, and the blobs that no other model
 * uses, the files that it was created from among them (Ollama keeps what was uploaded to it). Empty when it is not there, or when a manifest cannot be read (nothing is then known to be unused).
 *
 * @param {import('./paths.js').Place} place
 * @param {string} [source] folder of the files that it was created from
 * @returns {string[]} paths
 */
export function starterInOllama({ env, home }, source = starterFolder) {
  const models = env.OLLAMA_MODELS || join(home, '.ollama', 'models');
  const own = join(models, 'manifests', 'registry.ollama.ai', 'library', starterName);
  if (!existsSync(own)) return [];
  try {
    const manifests = filesIn(join(models, 'manifests'));
    const isOwn = (path) => path.startsWith(own);
    const usedByOthers = new Set(manifests.filter((path) => !isOwn(path)).flatMap(digestsOf));
    const all = [...manifests.filter(isOwn).flatMap(digestsOf), ...uploadedFrom(source)];
    const unused = new Set(all.filter((digest) => !usedByOthers.has(digest)));
    const blobs = [...unused].map((digest) => join(models, 'blobs', digest.replace(':', '-')));
    return [own, ...blobs.filter((path) => existsSync(path))];
  } catch {
    return [];
  }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** @returns {string[]} `sha256:…` of each file in a folder */
function uploadedFrom(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(folder, entry.name)))
    .map((content) => `sha256:${createHash('sha256').update(content).digest('hex')}`);
}

/** @returns {string[]} `sha256:…` of a manifest's config and layers */
function digestsOf(path) {
  const { config, layers } = JSON.parse(readFileSync(path, 'utf8'));
  return [config, ...layers]
    .map(({ digest }) => digest)
    .filter((digest) => /^sha256:[0-9a-f]{64}$/.test(digest));
}
