import { takeLock } from './lock.js';
import {
  cleanHalfBuilt,
  managedDir,
  openHalfBuilt,
  otherVersions,
  publish,
  removeOldVersions,
} from './managed-dir.js';
import { buildOllama, buildRecipe } from './ollama-build.js';
import { findOllama, ollamaProgram, ollamaVersion } from './ollama-find.js';
import { prepareBuild } from './ollama-tools.js';
import { runtimeDir } from './paths.js';

/** Failures caused by the folder's contents. After one in a resumed build, the next build starts from the beginning. */
const faultsOfBuild = ['build_failed', 'verify_failed', 'sum_mismatch'];

/**
 * Finds an Ollama to use or, if the tools are on the machine, builds one. During an update, and if it fails, the
 * previous managed build is used: every event until then has its path.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./mlx.js').Found>} rejects with a SetupError if there is none, or with the signal's reason
 */
export async function setUpOllama(context) {
  const { place, manifest, report, signal } = context;
  report('check', 'Looking for Ollama', null);
  const found = await findOllama(context);
  if (found.stage === 'ready') return found;
  const dir = managedDir(runtimeDir(place), 'ollama', manifest.ollama.version);
  const old = await previous(dir, signal);
  const whileOld = (stage, detail, percent) => report(stage, detail, percent, old);
  const onWait = (holder) =>
    whileOld('check', `Waiting: another Tandem (process ${holder}) builds Ollama`, null);
  const lock = await takeLock(dir.lock, { onWait, signal });
  let recipe;
  let continued = false;
  try {
    const again = await findOllama(context);
    if (again.stage === 'ready') return again;
    const tools = await prepareBuild({ ...context, report: whileOld });
    recipe = buildRecipe(manifest.ollama, tools.generator);
    continued = openHalfBuilt(dir, recipe);
    const job = { tools, folder: dir.building, onSpawn: lock.noteChild };
    const version = await buildOllama({ ...context, report: whileOld }, job);
    publish(dir);
    removeOldVersions(dir);
    return { stage: 'ready', ...managed(dir.final, version), detail: `Ollama ${version}` };
  } catch (error) {
    signal?.throwIfAborted();
    if (continued && faultsOfBuild.includes(error.code)) recipe = undefined;
    if (!old) throw error;
    const detail = `Ollama ${old.version} is used; the update failed: ${error.message}`;
    return { stage: 'ready', ...old, detail };
  } finally {
    if (!signal?.aborted) cleanHalfBuilt(dir, recipe);
    lock.release();
  }
}

/** The newest other managed build that runs. */
async function previous(dir, signal) {
  for (const folder of otherVersions(dir)) {
    const version = await ollamaVersion(ollamaProgram(folder), signal);
    if (version) return managed(folder, version);
  }
  return undefined;
}

function managed(folder, version) {
  return { source: 'managed', path: ollamaProgram(folder), version };
}
