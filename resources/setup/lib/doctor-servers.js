import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { mayInstallPackages } from './apt.js';
import { answers, credentialsOf } from './http-probe.js';
import { managedDir, smallModelFolder } from './managed-dir.js';
import { findMlx, noPython } from './mlx.js';
import { findOllama } from './ollama-find.js';
import { inspectBuild, installOllamaCure, missingPackagesCure } from './ollama-tools.js';
import { runtimeDir } from './paths.js';
import { findPython } from './python.js';
import { inspectSmallModel } from './small-model.js';

/** The Python that the managed MLX environment uses or would use. */
export async function checkPython({ place, manifest, signal }) {
  const { python, seen } = await findPython(place, manifest.mlx.python, { signal });
  if (!python) {
    const { message, cure } = noPython(manifest.mlx.python, seen, place.platform);
    return { state: seen.length > 0 ? 'broken' : 'missing', detail: message, cure };
  }
  const detail = `${python.version} (${python.path})`;
  if (python.ensurepip || place.platform === 'darwin') return { state: 'found', detail };
  return {
    state: 'broken',
    detail: `${detail}, without venv`,
    cure: missingPackagesCure(place, ['python3-venv']),
  };
}

/** mlx-lm in our or the user's environment, or an MLX API elsewhere. */
export async function checkMlx(facts) {
  const { place, manifest, signal } = facts;
  try {
    const found = await findMlx(facts);
    if (found.stage === 'ready') return checkServer(facts, 'MLX_API_URL', found, '/health');
    const { python } = await findPython(place, manifest.mlx.python, { signal });
    const state = found.broken ? 'broken' : 'missing';
    if (!python) return { state, detail: found.why, cure: 'See Python.' };
    return { state, detail: found.why, cure: 'npm start sets it up (about a minute).', obtainable: true };
  } catch (error) {
    return { state: 'broken', detail: error.message, cure: error.cure };
  }
}

/** An Ollama that is running, installed, or can be built. */
export async function checkOllama(facts) {
  try {
    const found = await findOllama(facts);
    if (found.stage === 'ready') return await checkServer(facts, 'OLLAMA_API_URL', found, '/api/version');
    const { tools, packages } = await inspectBuild(facts);
    if (packages.length > 0 && !mayInstallPackages({ allowed: facts.allowPackages })) {
      const detail = `not installed; building it needs ${packages.join(', ')}`;
      return { state: 'missing', detail, cure: missingPackagesCure(facts.place, packages) };
    }
    const cure = `npm start builds it with Go ${tools.goVersion}, in the background (some ten minutes on two cores).`;
    return { state: 'missing', detail: 'not installed', cure, obtainable: true };
  } catch (error) {
    const state = ['no_go', 'no_build_tools'].includes(error.code) ? 'missing' : 'broken';
    return { state, detail: error.message, cure: error.cure ?? installOllamaCure(facts.place.platform) };
  }
}

/** A server from the environment must answer; a binary or Python has already been run. */
async function checkServer({ place, signal }, variable, found, path) {
  const detail = [found.detail, found.path && `(${found.path})`].filter(Boolean).join(' ');
  const headers = found.source === 'env' ? credentialsOf(place.env, variable) : {};
  if (!found.url || (await answers(new URL(path, found.url).href, signal, headers)))
    return { state: 'found', detail };
  const cure = 'Start that server, or unset the variable to have one found or set up here.';
  return { state: 'broken', detail: `${detail}, but ${found.url} does not answer`, cure };
}

/** Models on disk; the small one, which set-up downloads, is enough for the first start. */
export async function checkModels({ place, manifest }) {
  const { env, home } = place;
  const hub = env.HF_HUB_CACHE ?? join(env.HF_HOME ?? join(home, '.cache', 'huggingface'), 'hub');
  const inHub = names(hub).filter((name) => name.startsWith('models--')).length;
  const manifests = join(env.OLLAMA_MODELS ?? join(home, '.ollama', 'models'), 'manifests');
  const inOllama = countFiles(manifests);
  const small = hasSmallModel(place, manifest);
  const detail = `${small ? 'the small model, ' : ''}${inHub} in the Hugging Face cache, ${inOllama} in Ollama's folder`;
  if (inHub + inOllama > 0) return { state: 'found', detail };
  const cure =
    'The chat offers models that fit this machine; code and analysis need one (for example: ollama pull qwen2.5-coder:7b).';
  if (small) return { state: 'found', detail, cure };
  return { state: 'missing', detail, cure: `npm start gets the small one. ${cure}`, obtainable: true };
}

function hasSmallModel(place, { smallModel }) {
  const { final } = managedDir(runtimeDir(place), smallModelFolder, smallModel.version);
  return inspectSmallModel(place.env.TANDEM_SMALL_MODEL ?? final, smallModel).gguf;
}

function names(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function countFiles(folder) {
  if (!existsSync(folder)) return 0;
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}
