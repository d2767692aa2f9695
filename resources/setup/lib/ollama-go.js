import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resourcesDir } from './manifest.js';
import { installOllamaCommand, installOllamaCure } from './ollama-tools.js';
import { failureText } from './run.js';
import { SetupError } from './setup-error.js';

/** Share of the module download in the Go part. */
const downloadShare = 0.15;
/** Number of modules of the build; used only for the percentage. */
const expectedModules = 90;

/**
 * @typedef {object} BuildJob input of both parts of the build
 * @property {typeof import('./run.js').run} run `run` with the build's priority, lock, limit and signal
 * @property {Record<string, string | undefined>} env
 * @property {string} platform as `process.platform`
 * @property {any} manifest the `ollama` part of runtimes.json
 * @property {string} folder the build folder
 */

/**
 * Settings of the build: none of the user's own Go settings except the source of modules. Go's caches are in the build
 * folder, so that they are removed with it.
 */
function goEnv(env, folder) {
  return {
    ...env,
    GOPATH: join(folder, 'go'),
    GOMODCACHE: join(folder, 'go', 'mod'),
    GOCACHE: join(folder, 'go', 'cache'),
    CGO_ENABLED: '1',
    GOFLAGS: '-mod=readonly -modcacherw -buildvcs=false',
    GOWORK: 'off',
    GOOS: '',
    GOARCH: '',
  };
}

/** Returns a function that runs `go` in the Go part's folder, with the locked modules. */
export function goSource(job, go) {
  const source = join(job.folder, 'source');
  mkdirSync(source, { recursive: true });
  for (const file of ['go.mod', 'go.sum'])
    copyFileSync(join(resourcesDir, job.manifest.goFiles, file), join(source, file));
  const env = goEnv(job.env, job.folder);
  return (args, options = {}) => job.run(go, args, { ...options, cwd: source, env });
}

/**
 * Downloads Ollama's own module and compares its hash with runtimes.json.
 *
 * @param {BuildJob} job
 * @param {ReturnType<typeof goSource>} runGo
 * @returns {Promise<string>} the folder of its source; rejects with `download_failed` or `sum_mismatch`
 */
export async function fetchModule({ manifest }, runGo) {
  const { module, moduleVersion, sum } = manifest;
  const result = await runGo(['mod', 'download', '-json', `${module}@${moduleVersion}`]);
  if (result.code !== 0) throw downloadFailed(result);
  const { Sum: actual, Dir: folder } = JSON.parse(result.stdout);
  if (actual === sum) return folder;
  throw new SetupError(
    'sum_mismatch',
    `The source of Ollama has the hash ${actual}, not ${sum}.`,
    'Do not use it; check where Go takes its modules from (go env GOPROXY).',
  );
}

/**
 * Builds the program `ollama`. All modules are locked in `go.sum`.
 *
 * @param {BuildJob} job
 * @param {ReturnType<typeof goSource>} runGo
 * @param {{ output: string, onProgress: (fraction: number) => void }} options
 * @returns {Promise<void>} rejects with `download_failed` or `build_failed`
 */
export async function buildProgram({ manifest, platform }, runGo, { output, onProgress }) {
  const packages = await fetchModules(manifest.module, runGo, (fraction) =>
    onProgress(downloadShare * fraction),
  );
  let compiled = 0;
  const onLine = () => {
    compiled += 1;
    onProgress(downloadShare + (1 - downloadShare) * Math.min(1, compiled / packages));
  };
  const linkerFlags = `-s -w -X ${manifest.module}/version.Version=${manifest.version}`;
  const args = ['build', '-v', '-trimpath', '-ldflags', linkerFlags, '-o', output, manifest.module];
  const result = await runGo(args, { onLine });
  if (result.code !== 0) throw buildFailed(result, platform);
}

/** Downloads all modules that the build needs and counts its packages. */
async function fetchModules(module, runGo, onProgress) {
  let modules = 0;
  const onLine = (line) => {
    if (!line.startsWith('go: downloading ')) return;
    modules += 1;
    onProgress(Math.min(1, modules / expectedModules));
  };
  const result = await runGo(['list', '-deps', '-f', '{{.ImportPath}}', module], { onLine });
  if (result.code !== 0) throw downloadFailed(result);
  return result.stdout.trim().split('\n').length;
}

function downloadFailed(result) {
  return new SetupError(
    'download_failed',
    `Fetching Ollama's source failed: ${failureText(result)}`,
    'Check the network connection; Tandem tries again at its next start.',
  );
}

/** The failure of a compiler or linker: its first error line, else its last output. */
export function buildFailed(result, platform) {
  const fault = `${result.stderr}\n${result.stdout}`.split('\n').find((line) => /\berror\b/i.test(line));
  const message = `Building Ollama failed: ${fault?.trim().slice(0, 400) ?? failureText(result)}`;
  return new SetupError('build_failed', message, installOllamaCure(platform), installOllamaCommand(platform));
}
