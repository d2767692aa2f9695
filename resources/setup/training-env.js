import { homedir } from 'node:os';
import { join } from 'node:path';
import { takeLock } from './lib/lock.js';
import { cleanHalfBuilt, managedDir, publish } from './lib/managed-dir.js';
import { readManifest, resourcesDir } from './lib/manifest.js';
import { buildVenv, checkVenv, venvPython } from './lib/mlx-venv.js';
import { ownPlace, runtimeDir } from './lib/paths.js';
import { findPython } from './lib/python.js';
import { SetupError } from './lib/setup-error.js';
import { hashFiles } from './lib/stamp.js';

const requirements = join(resourcesDir, 'models', 'starter', 'train', 'requirements.txt');
const smokeTest = 'import jax, safetensors, tokenizers; print(jax.__version__)';

/**
 * The Python that trains the starter model: a virtual environment of its own beside the runtimes, from the locked
 * packages of `resources/models/starter/train`. Only the tests and people who retrain the model need it; the app does not.
 *
 * @param {(line: string) => void} log told what is being done when something is
 * @param {AbortSignal} [signal] ends a build that is under way; rejects with the signal's reason
 * @returns {Promise<string>} path of the interpreter; rejects with a SetupError where Python or the network is missing
 */
export async function ensureTrainingEnvironment(log, signal) {
  const place = ownPlace(homedir());
  const fingerprint = hashFiles([requirements]).slice(0, 12);
  const dir = managedDir(runtimeDir(place), 'starter-training', fingerprint);
  if (await isGood(dir.final, signal)) return venvPython(dir.final);
  const lock = await takeLock(dir.lock, { signal });
  try {
    if (await isGood(dir.final, signal)) return venvPython(dir.final);
    cleanHalfBuilt(dir);
    await buildVenv({
      folder: dir.building,
      python: await trainingPython(place, signal),
      recipe: [requirements],
      verify: smokeTest,
      packageName: 'jax',
      report: (_stage, detail) => log(detail),
      onSpawn: lock.noteChild,
      signal,
    });
    publish(dir);
    return venvPython(dir.final);
  } finally {
    lock.release();
  }
}

async function isGood(folder, signal) {
  return (await checkVenv(folder, { recipe: [requirements], signal })).state === 'good';
}

async function trainingPython(place, signal) {
  const range = readManifest().mlx.python;
  const { python } = await findPython(place, range, { signal });
  if (python) return python;
  const message = `Training the starter model needs Python ${range.minimum} to ${range.newestTried}; none was found.`;
  throw new SetupError('python_missing', message, 'Install Python and try again.');
}
