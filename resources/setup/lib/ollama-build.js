import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { aptCommand, aptInstall, mayInstallPackages } from './apt.js';
import { runtimeStamp } from './managed-dir.js';
import { compareVersions, resourcesDir } from './manifest.js';
import { ollamaVersion } from './ollama-find.js';
import { missingHeaders, writeAudioHeader } from './ollama-headers.js';
import { findProgram } from './paths.js';
import { failureText, run } from './run.js';
import { SetupError } from './setup-error.js';
import { writeStamp } from './stamp.js';

/** Below everything that a person waits for: the build takes minutes and the app is already in use. */
const niceness = 15;

/** The command that installs Ollama; undefined where there is no single one. */
export function installOllamaCommand(platform) {
  return platform === 'darwin' ? 'brew install ollama' : undefined;
}

/** How a person gets Ollama where it cannot be built. */
export function installOllamaCure(platform) {
  const command = installOllamaCommand(platform);
  return command
    ? `Install the Ollama app (or run: ${command}) and start Tandem again.`
    : 'Install Ollama with its own Linux installer, or Go 1.26 or newer to have it built, and start Tandem again.';
}

/**
 * The one command that brings missing packages; macOS has no package of the headers, so there it is Ollama itself.
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
 * What a build would need on this machine; installs nothing.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<{ go: string, goVersion: string, packages: string[] }>} packages: missing ones, by their Debian names;
 *   rejects with `no_go`
 */
export async function inspectBuild({ place, manifest, signal }) {
  const { goMinimum, headers, apt } = manifest.ollama;
  const cure = installOllamaCure(place.platform);
  const command = installOllamaCommand(place.platform);
  const go = findProgram(place, ['go']);
  if (!go)
    throw new SetupError(
      'no_go',
      'Ollama is not installed, and there is no Go to build it with.',
      cure,
      command,
    );
  const answer = await run(go, ['env', 'GOVERSION'], { env: place.env, signal, timeoutMs: 20_000 });
  const goVersion = /go(\d+\.\d+(\.\d+)?)/.exec(answer.stdout)?.[1];
  const mayFetchToolchain = place.env.GOTOOLCHAIN !== 'local';
  if (!goVersion || (compareVersions(goVersion, goMinimum) < 0 && !mayFetchToolchain)) {
    throw new SetupError(
      'no_go',
      `Ollama needs Go ${goMinimum}; found ${goVersion ?? 'a broken one'}.`,
      cure,
      command,
    );
  }
  const packages = missingHeaders(headers).map((header) => header.apt);
  if (!findProgram(place, ['g++', 'c++', 'clang++'])) packages.push(apt.compiler);
  return { go, goVersion, packages };
}

/**
 * Makes sure that Go, a C++ compiler and the headers are there; installs missing Debian packages where that is allowed.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<string>} path of `go`; rejects with `no_go` or `no_headers` and the cure
 */
export async function prepareBuild(context) {
  const { place, allowPackages, report, signal } = context;
  const { go, packages } = await inspectBuild(context);
  if (packages.length === 0) return go;
  if (!mayInstallPackages({ allowed: allowPackages })) {
    const cure = missingPackagesCure(place, packages);
    const command = missingPackagesCommand(place, packages);
    throw new SetupError('no_headers', `Building Ollama needs ${packages.join(', ')}.`, cure, command);
  }
  report('headers', `Installing the system packages ${packages.join(', ')}`, null);
  await aptInstall(packages, { signal });
  return go;
}

/**
 * Settings of the build: nothing of the person's own Go settings but where modules come from. Go's caches live in the
 * build folder, so that nothing is left when it goes.
 */
function buildEnv(env, folder, includeDir) {
  return {
    ...env,
    GOPATH: join(folder, 'go'),
    GOMODCACHE: join(folder, 'go', 'mod'),
    GOCACHE: join(folder, 'go', 'cache'),
    CGO_ENABLED: '1',
    CGO_CPPFLAGS: `-I${includeDir}`,
    CGO_CFLAGS: `-O2 -I${includeDir}`,
    CGO_CXXFLAGS: `-O2 -I${includeDir}`,
    GOFLAGS: '-mod=readonly -modcacherw -buildvcs=false',
    GOWORK: 'off',
    GOOS: '',
    GOARCH: '',
  };
}

/**
 * Builds Ollama from its Go module. All modules are locked in `go.sum`; the module's own hash is compared with
 * runtimes.json as well.
 *
 * @param {import('./context.js').Context} context
 * @param {{ go: string, folder: string, onSpawn: (pid: number) => void }} job folder must not exist; it gets `ollama`
 */
export async function buildOllama(context, { go, folder, onSpawn }) {
  const { place, manifest, report, signal } = context;
  const source = join(folder, 'source');
  mkdirSync(source, { recursive: true });
  for (const file of ['go.mod', 'go.sum'])
    copyFileSync(join(resourcesDir, manifest.ollama.goFiles, file), join(source, file));
  const includeDir = join(source, 'include');
  writeAudioHeader(includeDir);
  const options = { cwd: source, env: buildEnv(place.env, folder, includeDir), niceness, onSpawn, signal };
  await verifySum(go, manifest.ollama, options, report);
  const packages = await downloadModules(go, manifest.ollama, options, report);
  await compile(go, context, { ...options, packages, output: join(folder, 'ollama') });
  report('verify', 'Checking that it runs', 98);
  const version = await ollamaVersion(join(folder, 'ollama'), signal);
  signal?.throwIfAborted();
  if (version === undefined) throw new SetupError('verify_failed', 'The Ollama that was built does not run.');
  for (const part of [source, join(folder, 'go')]) rmSync(part, { recursive: true, force: true });
  writeStamp(join(folder, runtimeStamp), {
    version,
    sum: manifest.ollama.sum,
    completedAt: new Date().toISOString(),
  });
  return version;
}

function downloadFailed(result) {
  return new SetupError(
    'download_failed',
    `Fetching Ollama's source failed: ${failureText(result)}`,
    'Check the network connection; Tandem tries again at its next start.',
  );
}

async function verifySum(go, { module, moduleVersion, sum }, options, report) {
  report('download', `Fetching ${module} ${moduleVersion}`, 0);
  const args = ['mod', 'download', '-json', `${module}@${moduleVersion}`];
  const result = await run(go, args, { ...options, timeoutMs: 15 * 60_000 });
  options.signal?.throwIfAborted();
  if (result.code !== 0) throw downloadFailed(result);
  const actual = JSON.parse(result.stdout).Sum;
  if (actual === sum) return;
  throw new SetupError(
    'sum_mismatch',
    `The source of Ollama has the hash ${actual}, not ${sum}.`,
    'Do not use it; check where Go takes its modules from (go env GOPROXY).',
  );
}

/** Loads all modules that the build needs and counts its packages. */
async function downloadModules(go, { module }, options, report) {
  let modules = 0;
  const onLine = (line) => {
    const name = /^go: downloading (\S+)/.exec(line)?.[1];
    if (!name) return;
    modules += 1;
    report('download', `Fetching ${name}`, Math.min(20, 5 + Math.round(modules / 6)));
  };
  const args = ['list', '-deps', '-f', '{{.ImportPath}}', module];
  const result = await run(go, args, { ...options, onLine, timeoutMs: 15 * 60_000 });
  options.signal?.throwIfAborted();
  if (result.code !== 0) throw downloadFailed(result);
  return result.stdout.trim().split('\n').length;
}

/**
 * Percent by what is further: compiled packages or time against the expected duration, since a few large C++ packages
 * take most of it. Stays below 95 until it is done.
 */
function buildPercent(compiled, packages, elapsedMs, expectedMs) {
  const byTime = 0.9 * (1 - Math.exp((-2 * elapsedMs) / expectedMs));
  const byCount = 0.6 * (compiled / packages);
  return Math.round(20 + 75 * Math.max(byTime, byCount));
}

async function compile(go, { manifest, report, signal }, { packages, output, ...options }) {
  const { module, version, expectedBuildSeconds } = manifest.ollama;
  const started = Date.now();
  let compiled = 0;
  const tell = () => {
    const percent = buildPercent(compiled, packages, Date.now() - started, expectedBuildSeconds * 1000);
    report('build', 'Building Ollama', percent);
  };
  tell();
  const timer = setInterval(tell, 1000);
  const onLine = () => {
    compiled += 1;
  };
  const linkerFlags = `-s -w -X ${module}/version.Version=${version}`;
  const args = ['build', '-v', '-trimpath', '-ldflags', linkerFlags, '-o', output, module];
  const result = await run(go, args, { ...options, onLine, timeoutMs: 60 * 60_000 });
  clearInterval(timer);
  signal?.throwIfAborted();
  if (result.code === 0) return;
  throw new SetupError(
    'build_failed',
    `Building Ollama failed: ${failureText(result)}`,
    installOllamaCure(process.platform),
    installOllamaCommand(process.platform),
  );
}
