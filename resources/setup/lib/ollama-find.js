import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, answers, inContainer } from './http-probe.js';
import { runtimeStamp } from './managed-dir.js';
import { findProgram, runtimeDir } from './paths.js';
import { run } from './run.js';
import { SetupError } from './setup-error.js';
import { readStamp } from './stamp.js';

/**
 * Version of an Ollama binary. A build without a version reports 0.0.0, which is accepted.
 *
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<string | undefined>} undefined if it does not run
 */
export async function ollamaVersion(path, signal) {
  // The client also asks the server for its version; with a closed port it does not wait.
  const env = { ...process.env, OLLAMA_HOST: '127.0.0.1:1' };
  const result = await run(path, ['--version'], { env, signal, timeoutMs: 10_000 });
  if (result.code !== 0) return undefined;
  return /(\d+\.\d+\.\d+\S*)/.exec(`${result.stdout}${result.stderr}`)?.[1];
}

/** Paths of Ollama.app's own binary. */
function appBinaries({ home }) {
  const inside = 'Applications/Ollama.app/Contents/Resources/ollama';
  return [join('/', inside), join(home, inside)];
}

/** The program in a managed build; builds before 0.34 had it at the top level. */
export function ollamaProgram(folder) {
  const top = join(folder, 'ollama');
  return existsSync(top) ? top : join(folder, 'bin', 'ollama');
}

/** The managed build's binary for a version, if the build is complete. */
function managedOllama(place, version) {
  const folder = join(runtimeDir(place), `ollama-${version}`);
  const path = ollamaProgram(folder);
  return readStamp(join(folder, runtimeStamp)) && existsSync(path) ? path : undefined;
}

/**
 * Finds the Ollama to use, in this order: `OLLAMA_API_URL` (only that one), a server that answers on 11434,
 * `TANDEM_OLLAMA_BIN`, Ollama.app, PATH, the managed build. Starts and builds nothing.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./mlx.js').Found | { stage: 'needed' }>} rejects with a SetupError for a bad OLLAMA_API_URL or TANDEM_OLLAMA_BIN
 */
export async function findOllama({ place, manifest, adopt = true, signal }) {
  return (adopt && (await findServer(place, signal))) || findBinary(place, manifest, signal);
}

/** A server that is used as it is; undefined if there is none. */
async function findServer(place, signal) {
  const { env } = place;
  const named = addressOf(env, 'OLLAMA_API_URL');
  if (named) return { stage: 'ready', source: 'env', url: named, detail: 'OLLAMA_API_URL is used' };
  const hosts = ['127.0.0.1', ...(inContainer(env) ? ['host.docker.internal'] : [])];
  const urls = hosts.map((host) => `http://${host}:11434`);
  const alive = await Promise.all(urls.map((url) => answers(`${url}/api/version`, signal)));
  const url = urls[alive.indexOf(true)];
  return url
    ? { stage: 'ready', source: 'running', url, detail: `the Ollama that runs at ${url}` }
    : undefined;
}

async function findBinary(place, manifest, signal) {
  const named = place.env.TANDEM_OLLAMA_BIN;
  if (named) {
    const version = await ollamaVersion(named, signal);
    if (version !== undefined) return ready('env', named, version);
    throw new SetupError(
      'ollama_binary_broken',
      `TANDEM_OLLAMA_BIN names ${named}, which does not run.`,
      'Correct the path, or unset TANDEM_OLLAMA_BIN to have Ollama looked for.',
    );
  }
  const managed = managedOllama(place, manifest.ollama.version);
  const candidates = [
    ...appBinaries(place).map((path) => ['app', path]),
    ['path', findProgram(place, ['ollama'])],
    ['managed', managed],
  ];
  for (const [source, path] of candidates) {
    if (!path || !existsSync(path)) continue;
    const version = await ollamaVersion(path, signal);
    if (version !== undefined) return ready(source, path, version);
  }
  return { stage: 'needed' };
}

function ready(source, path, version) {
  return { stage: 'ready', source, path, version, detail: `Ollama ${version}` };
}
