import { aptCommand, aptInstall, mayInstallPackages } from './apt.js';
import { managedDir } from './managed-dir.js';
import { compareVersions } from './manifest.js';
import { venvPython } from './mlx-venv.js';
import { findPipPython } from './package-file.js';
import { findProgram, runtimeDir } from './paths.js';
import { hasDeveloperTools } from './python.js';
import { run } from './run.js';
import { SetupError } from './setup-error.js';

/**
 * @typedef {object} Tools tools that the build runs
 * @property {string} go
 * @property {string} goVersion
 * @property {string} cmake
 * @property {'Ninja' | 'Unix Makefiles'} generator
 * @property {string} python one with a usable pip
 */

/** The command that installs Ollama; undefined if there is no single one. */
export function installOllamaCommand(platform) {
  return platform === 'darwin' ? 'brew install ollama' : undefined;
}

/** How the user installs Ollama if it cannot be built. */
export function installOllamaCure(platform) {
  const command = installOllamaCommand(platform);
  return command
    ? `Install the Ollama app (or run: ${command}) and start Tandem again.`
    : 'Install Ollama with its own Linux installer, or Go 1.26 or newer to have it built, and start Tandem again.';
}

/**
 * The command that installs missing packages; on macOS it installs Ollama itself, which makes the build unnecessary.
 *
 * @param {import('./paths.js').Place} place
 * @param {string[]} packages Debian names
 */
export function missingPackagesCommand(place, packages) {
  return installOllamaCommand(place.platform) ?? aptCommand(packages);
}

/** The same as a sentence. */
export function missingPackagesCure(place, packages) {
  return place.platform === 'darwin'
    ? installOllamaCure('darwin')
    : `Run: ${missingPackagesCommand(place, packages)}`;
}

/**
 * Tools that a build needs on this machine; installs nothing.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<{ tools: Partial<Tools> & { go: string, goVersion: string }, packages: string[] }>} packages: the
 * missing ones, by Debian name; rejects with `no_go`, or with `no_build_tools` for a tool that is too old
 */
export async function inspectBuild({ place, manifest, signal }) {
  const { tools: wanted, cmakeMinimum, goMinimum, pipPackage } = manifest.ollama;
  const go = await checkGo(place, goMinimum, signal);
  const found = wanted.map(({ programs, apt }) => ({ apt, path: findProgram(place, programs) }));
  // Without Apple's developer tools, the programs in /usr/bin only open a dialog.
  const stubs = place.platform === 'darwin' && !(await hasDeveloperTools({ signal }));
  const isMissing = ({ path }) => path === undefined || (stubs && path.startsWith('/usr/bin/'));
  const packages = found.filter(isMissing).map(({ apt }) => apt);
  const [cmake, maker] = found;
  if (!isMissing(cmake)) await checkCmake(place, cmake.path, cmakeMinimum, signal);
  const python = await pipPython(place, manifest, signal);
  if (!python) packages.push(pipPackage);
  const generator = /ninja[^/]*$/.test(maker.path ?? '') ? 'Ninja' : 'Unix Makefiles';
  return { tools: { ...go, cmake: cmake.path, generator, python }, packages };
}

/**
 * Ensures that all tools for the build exist; installs missing Debian packages if allowed.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<Tools>} rejects with `no_go` or `no_build_tools` and the cure
 */
export async function prepareBuild(context) {
  const { place, allowPackages, report, signal } = context;
  const before = await inspectBuild(context);
  if (before.packages.length === 0) return before.tools;
  if (!mayInstallPackages({ allowed: allowPackages })) throw missingTools(place, before.packages);
  report('packages', `Installing the system packages ${before.packages.join(', ')}`, null);
  await aptInstall(before.packages, { signal });
  const { tools, packages } = await inspectBuild(context);
  if (packages.length > 0) throw missingTools(place, packages);
  return tools;
}

function missingTools(place, packages) {
  const message = `Building Ollama needs ${packages.join(', ')}.`;
  const cure = missingPackagesCure(place, packages);
  return new SetupError('no_build_tools', message, cure, missingPackagesCommand(place, packages));
}

async function checkGo(place, goMinimum, signal) {
  const fail = (message) => {
    const cure = installOllamaCure(place.platform);
    return new SetupError('no_go', message, cure, installOllamaCommand(place.platform));
  };
  const go = findProgram(place, ['go']);
  if (!go) throw fail('Ollama is not installed, and there is no Go to build it with.');
  const answer = await run(go, ['env', 'GOVERSION'], { env: place.env, signal, timeoutMs: 20_000 });
  signal?.throwIfAborted();
  const goVersion = /go(\d+\.\d+(\.\d+)?)/.exec(answer.stdout)?.[1];
  const mayFetchToolchain = place.env.GOTOOLCHAIN !== 'local';
  if (!goVersion || (compareVersions(goVersion, goMinimum) < 0 && !mayFetchToolchain))
    throw fail(`Ollama needs Go ${goMinimum}; found ${goVersion ?? 'a broken one'}.`);
  return { go, goVersion };
}

async function checkCmake(place, cmake, minimum, signal) {
  const answer = await run(cmake, ['--version'], { env: place.env, signal, timeoutMs: 20_000 });
  signal?.throwIfAborted();
  const version = /(\d+\.\d+(\.\d+)?)/.exec(answer.stdout)?.[1];
  if (version && compareVersions(version, minimum) >= 0) return;
  throw new SetupError(
    'no_build_tools',
    `Building Ollama needs CMake ${minimum} or newer; found ${version ?? 'a broken one'}.`,
    `Install CMake ${minimum} or newer, or Ollama itself, and start Tandem again.`,
    installOllamaCommand(place.platform),
  );
}

/** The MLX environment's Python also works; undefined if there is no usable one. */
async function pipPython(place, manifest, signal) {
  const mlx = managedDir(runtimeDir(place), 'mlx', manifest.mlx.version).final;
  try {
    return await findPipPython(place, { preferred: [venvPython(mlx)], signal });
  } catch (error) {
    if (error.code === 'no_pip') return undefined;
    throw error;
  }
}
