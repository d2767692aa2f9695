import { resolve } from 'node:path';
import { aptInstall, mayInstallPackages } from './apt.js';
import { addressOf, answers, inContainer } from './http-probe.js';
import { takeLock } from './lock.js';
import { cleanHalfBuilt, managedDir, otherVersions, publish, removeOldVersions } from './managed-dir.js';
import { resourcesDir } from './manifest.js';
import { trimTransformers } from './mlx-trim.js';
import { buildVenv, checkVenv, venvPython } from './mlx-venv.js';
import { findProgram, runtimeDir } from './paths.js';
import { findPython, pythonCandidates } from './python.js';
import { run } from './run.js';
import { SetupError } from './setup-error.js';

/** Verifies that the server's own module loads and that the array library computes. */
const verifyCode = `
import importlib.metadata as m, mlx.core as mx, mlx_lm.server
assert mx.sum(mx.ones((4,))).item() == 4
print(m.version("mlx-lm"))
`;

const versionCode = 'import importlib.metadata as m; print(m.version("mlx-lm"))';

/**
 * @typedef {object} Found
 * @property {'ready'} stage
 * @property {'env' | 'managed' | 'app' | 'path' | 'running'} source
 * @property {string} [path] the Python, or the Ollama binary
 * @property {string} [url] a server that is used as it is
 * @property {string} [version]
 * @property {string} detail
 */

/**
 * Finds an existing MLX without setting anything up; fast, because it runs at every start.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<Found | { stage: 'needed', broken: boolean, why: string }>}
 */
export async function findMlx({ place, manifest, adopt = true, signal }) {
  const server = adopt && (await findServer(place.env, signal));
  if (server) return server;
  if (place.env.TANDEM_MLX_PYTHON) return checkNamedPython(place.env.TANDEM_MLX_PYTHON, signal);
  const dir = managedDir(runtimeDir(place), 'mlx', manifest.mlx.version);
  const check = await checkVenv(dir.final, {
    recipe: recipeFor(manifest, place.platform),
    signal,
  });
  if (check.state === 'good') return managedFound(dir.final, manifest.mlx.version);
  const broken = check.state === 'broken';
  return {
    stage: 'needed',
    broken,
    why: broken ? `The MLX environment is to be rebuilt: ${check.why}` : check.why,
  };
}

/** An MLX API to use as it is: the configured one; else, in a container without a configured Python, the host's. */
async function findServer(env, signal) {
  const named = addressOf(env, 'MLX_API_URL');
  if (named) return { stage: 'ready', source: 'env', url: named, detail: 'MLX_API_URL is used' };
  if (env.TANDEM_MLX_PYTHON || !inContainer(env)) return undefined;
  const url = 'http://host.docker.internal:11435';
  if (!(await answers(`${url}/health`, signal))) return undefined;
  return { stage: 'ready', source: 'running', url, detail: "the MLX API of this container's host" };
}

function managedFound(folder, version) {
  return {
    stage: 'ready',
    source: 'managed',
    path: venvPython(folder),
    version,
    detail: `mlx-lm ${version}`,
  };
}

/** The inputs of the environment: the locked packages, and the script that removes some of their files. */
function recipeFor(manifest, platform) {
  const file = manifest.mlx.requirements[platform];
  if (!file)
    throw new SetupError('unsupported_system', `MLX has no packages for ${platform}.`, 'Use macOS or Linux.');
  return [resolve(resourcesDir, file), resolve(resourcesDir, 'setup', 'lib', 'mlx-trim.js')];
}

async function checkNamedPython(path, signal) {
  const result = await run(path, ['-c', versionCode], { signal, timeoutMs: 20_000 });
  const version = result.stdout.trim();
  if (result.code === 0) return { stage: 'ready', source: 'env', path, version, detail: `mlx-lm ${version}` };
  const command = `${path} -m pip install mlx-lm`;
  throw new SetupError(
    'mlx_python_broken',
    `TANDEM_MLX_PYTHON names ${path}, which has no mlx-lm.`,
    `Install it there (${command}), or unset TANDEM_MLX_PYTHON to have it set up.`,
    command,
  );
}

/**
 * Builds the managed environment if there is no usable MLX. Falls back to the previous managed version, then to any
 * Python with mlx-lm; rejects with a SetupError if there is none.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<Found>} rejects with the signal's reason on abort
 */
export async function setUpMlx(context) {
  const { place, manifest, report, signal } = context;
  report('check', 'Looking for MLX', null);
  const found = await findMlx(context);
  if (found.stage === 'ready') return found;
  const dir = managedDir(runtimeDir(place), 'mlx', manifest.mlx.version);
  const onWait = (holder) => report('check', `Waiting: another Tandem (process ${holder}) sets MLX up`, null);
  const lock = await takeLock(dir.lock, { onWait, signal });
  try {
    const again = await findMlx(context);
    if (again.stage === 'ready') return again;
    report('check', again.why, null);
    return await buildManaged(context, dir, lock);
  } catch (error) {
    signal?.throwIfAborted();
    return await wayBack(context, dir, error);
  } finally {
    cleanHalfBuilt(dir);
    lock.release();
  }
}

async function buildManaged({ place, manifest, allowPackages, report, signal }, dir, lock) {
  const recipe = recipeFor(manifest, place.platform);
  const mayInstall = mayInstallPackages({ allowed: allowPackages });
  cleanHalfBuilt(dir);
  report('python', `Looking for Python ${manifest.mlx.python.minimum} or newer`, null);
  const { python, seen } = await findPython(place, manifest.mlx.python, { signal });
  if (!python) throw noPython(manifest.mlx.python, seen, place.platform);
  if (place.platform === 'linux')
    await ensureCompiler(place, manifest.mlx.apt.compiler, mayInstall, report, signal);
  await buildVenv({
    folder: dir.building,
    python,
    recipe,
    verify: verifyCode,
    packageName: 'mlx_lm',
    trim: trimTransformers,
    mayInstall,
    venvPackage: place.platform === 'linux' ? manifest.mlx.apt.venv : undefined,
    report,
    onSpawn: lock.noteChild,
    signal,
  });
  publish(dir);
  removeOldVersions(dir);
  return managedFound(dir.final, manifest.mlx.version);
}

/** MLX's CPU backend compiles some kernels at run time with the system's C++ compiler. */
async function ensureCompiler(place, aptName, mayInstall, report, signal) {
  if (findProgram(place, ['g++', 'c++']) || !mayInstall) return;
  report('packages', `Installing the system package ${aptName}`, null);
  await aptInstall([aptName], { signal });
}

/**
 * The failure for a machine without a suitable Python.
 *
 * @param {{ minimum: string, newestTried: string }} range
 * @param {import('./python.js').Python[]} seen
 * @param {string} platform
 */
export function noPython(range, seen, platform) {
  const others = seen.map((python) => python.version).join(', ');
  const message = `MLX needs Python ${range.minimum} to ${range.newestTried}; ${others ? `found only ${others}` : 'none was found'}.`;
  const command = platform === 'darwin' ? 'brew install python@3.13' : undefined;
  const cure = command
    ? `Run: ${command} (or install Python with its own installer), then start Tandem again.`
    : 'Install Python 3.11 or newer with its venv module, then start Tandem again.';
  return new SetupError('no_python', message, cure, command);
}

/** An earlier managed environment, of this version or another; else a Python with mlx-lm; else throws the failure. */
async function wayBack({ place, manifest, signal }, dir, error) {
  for (const folder of [dir.final, ...otherVersions(dir)]) {
    if ((await checkVenv(folder, { signal })).state !== 'good') continue;
    const version = folder.slice(folder.lastIndexOf('-') + 1);
    return {
      ...managedFound(folder, version),
      detail: `mlx-lm ${version} is used; the update failed: ${error.message}`,
    };
  }
  const candidates = pythonCandidates(place, manifest.mlx.python, { developerTools: false });
  for (const file of candidates) {
    const result = await run(file, ['-c', versionCode], { signal, timeoutMs: 20_000 });
    if (result.code !== 0) continue;
    const version = result.stdout.trim();
    return { stage: 'ready', source: 'path', path: file, version, detail: `mlx-lm ${version} of ${file}` };
  }
  throw error;
}
