import { join } from 'node:path';
import { takeLock } from './lock.js';
import { cleanHalfBuilt, managedDir, otherVersions, publish, removeOldVersions } from './managed-dir.js';
import { buildOllama, prepareBuild } from './ollama-build.js';
import { findOllama, ollamaVersion } from './ollama-find.js';
import { runtimeDir } from './paths.js';

/**
 * Finds an Ollama to use or, where Go is on the machine, builds one. If an update cannot be built, the previous
 * managed build is used.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./mlx.js').Found>} rejects with a SetupError when there is none, with the signal's reason on abort
 */
export async function setUpOllama(context) {
  const { place, manifest, report, signal } = context;
  report('check', 'Looking for Ollama', null);
  const found = await findOllama(context);
  if (found.stage === 'ready') return found;
  const dir = managedDir(runtimeDir(place), 'ollama', manifest.ollama.version);
  const onWait = (holder) =>
    report('check', `Waiting: another Tandem (process ${holder}) builds Ollama`, null);
  const lock = await takeLock(dir.lock, { onWait, signal });
  try {
    const again = await findOllama(context);
    if (again.stage === 'ready') return again;
    cleanHalfBuilt(dir);
    const go = await prepareBuild(context);
    const version = await buildOllama(context, { go, folder: dir.building, onSpawn: lock.noteChild });
    publish(dir);
    removeOldVersions(dir);
    return managed(dir.final, version, `Ollama ${version}`);
  } catch (error) {
    signal?.throwIfAborted();
    for (const folder of otherVersions(dir)) {
      const version = await ollamaVersion(join(folder, 'ollama'), signal);
      if (version)
        return managed(folder, version, `Ollama ${version} is used; the update failed: ${error.message}`);
    }
    throw error;
  } finally {
    cleanHalfBuilt(dir);
    lock.release();
  }
}

function managed(folder, version, detail) {
  return { stage: 'ready', source: 'managed', path: join(folder, 'ollama'), version, detail };
}
