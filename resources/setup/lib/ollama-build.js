import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { runtimeStamp } from './managed-dir.js';
import { resourcesDir } from './manifest.js';
import { ollamaProgram, ollamaVersion } from './ollama-find.js';
import { buildProgram, fetchModule, goSource } from './ollama-go.js';
import { buildLlama, configureFlags, fetchLlama, llamaPrograms } from './ollama-llama.js';
import { programDirs } from './paths.js';
import { run } from './run.js';
import { SetupError } from './setup-error.js';
import { hashFiles, writeStamp } from './stamp.js';

/** Low priority: the build takes minutes while the user already works with the app. */
const niceness = 15;
/** Limit for one program of the build; it may take long on a slow machine or network, and nothing waits for it. */
const limitMs = 3 * 60 * 60_000;
/** Share of each step, in seconds of computing on a small machine. */
const weights = { fetch: 10, go: 130, llama: 400 };

/**
 * Everything that determines the contents of a half-built folder: only a build of the same recipe resumes it.
 *
 * @param {any} pins the `ollama` part of runtimes.json
 * @param {string} generator
 */
export function buildRecipe(pins, generator) {
  const files = [`${pins.goFiles}/go.mod`, `${pins.goFiles}/go.sum`, pins.precompile];
  const hash = createHash('sha256').update(hashFiles(files.map((file) => join(resourcesDir, file))));
  return hash.update(JSON.stringify([pins, configureFlags(generator)])).digest('hex');
}

/**
 * Builds Ollama into a folder: its Go program and, from the source of llama.cpp, the programs that run models. Resumes
 * an interrupted build of the same recipe there.
 *
 * @param {import('./context.js').Context} context
 * @param {{ tools: import('./ollama-tools.js').Tools, folder: string, onSpawn: (pid: number) => void }} job
 * @returns {Promise<string>} the version; rejects with a SetupError, or with the signal's reason on abort
 */
export async function buildOllama(context, { tools, folder, onSpawn }) {
  const { place, manifest, report, signal } = context;
  const tell = wholeProgress(weights, (percent) => report('build', 'Building Ollama', percent));
  const env = { ...place.env, PATH: programDirs(place).join(delimiter) };
  const runStep = async (command, args, options) => {
    const result = await run(command, args, { ...options, niceness, onSpawn, signal, timeoutMs: limitMs });
    signal?.throwIfAborted();
    return result;
  };
  const job = { run: runStep, env, platform: place.platform, manifest: manifest.ollama, folder };
  report('download', "Fetching Ollama's source", 0);
  const runGo = goSource(job, tools.go);
  const module = await fetchModule(job, runGo);
  const onFetched = (fraction) => tell('fetch', fraction);
  const source = await fetchLlama(job, { python: tools.python, onProgress: onFetched, onSpawn, signal });
  const output = join(folder, 'bin', 'ollama');
  await buildProgram(job, runGo, { output, onProgress: (fraction) => tell('go', fraction) });
  tell('go', 1);
  await buildLlama(job, {
    ...tools,
    recipes: join(module, 'llama', 'server'),
    source,
    output: join(folder, 'lib', 'ollama'),
    parallel: availableParallelism(),
    onProgress: (fraction) => tell('llama', fraction),
  });
  report('verify', 'Checking that it runs', 98);
  const version = await verify(folder, signal);
  finish(folder, { version, sum: manifest.ollama.sum, completedAt: new Date().toISOString() });
  return version;
}

/** @returns {Promise<string>} the version that the program reports; rejects with `verify_failed` */
async function verify(folder, signal) {
  const version = await ollamaVersion(ollamaProgram(folder), signal);
  const server = join(folder, 'lib', 'ollama', llamaPrograms[0]);
  const answer = await run(server, ['--version'], { signal, timeoutMs: 20_000 });
  signal?.throwIfAborted();
  if (version !== undefined && answer.code === 0) return version;
  throw new SetupError('verify_failed', 'The Ollama that was built does not run.');
}

/** Keeps only the programs, and the stamp that marks them as complete. */
function finish(folder, stamp) {
  const kept = ['bin', 'lib'];
  for (const entry of readdirSync(folder))
    if (!kept.includes(entry)) rmSync(join(folder, entry), { recursive: true, force: true });
  writeStamp(join(folder, runtimeStamp), stamp);
}

/**
 * One percentage for steps of different length. It never falls.
 *
 * @template {string} Step
 * @param {Record<Step, number>} weights
 * @param {(percent: number) => void} onPercent called when the whole number changes
 * @returns {(step: Step, fraction: number) => void}
 */
export function wholeProgress(weights, onPercent) {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const done = Object.fromEntries(Object.keys(weights).map((step) => [step, 0]));
  let last = 0;
  return (step, fraction) => {
    done[step] = Math.max(done[step], Math.min(1, fraction));
    const sum = Object.keys(weights).reduce((all, name) => all + weights[name] * done[name], 0);
    const percent = Math.floor((97 * sum) / total);
    if (percent <= last) return;
    last = percent;
    onPercent(percent);
  };
}
