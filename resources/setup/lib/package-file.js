import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resourcesDir } from './manifest.js';
import { hasDeveloperTools, pythonCandidates } from './python.js';
import { failureText, run } from './run.js';
import { SetupError } from './setup-error.js';

const script = join(resourcesDir, 'setup', 'fetch-package-file.py');

/** Any Python in this range can run pip here; MLX needs a newer one. */
const pythonRange = { minimum: '3.9', newestTried: '3.14' };

const usablePip = 'import sys, pip._internal; sys.exit(sys.version_info < (3, 9))';

/**
 * A file of a Python package, pinned.
 *
 * @typedef {object} PackageFile
 * @property {string} package
 * @property {string} file its name in the index
 * @property {number} bytes
 * @property {string} sha256 hex
 */

/** Cures of a failed download, by its code. */
const cures = {
  index_unreachable:
    'Check the network connection and the index that pip uses (pip config list), then try again.',
  not_in_index: 'Check the index that pip uses (pip config list), then try again.',
  download_interrupted: 'Check the network connection, then try again: it goes on where it stopped.',
  wrong_file:
    'It was removed. Try again; if that does not help, the index that pip uses is not to be trusted.',
  not_writable: 'Check the free disk space, then try again: it goes on where it stopped.',
  pip_unusable: 'Update pip (python3 -m pip install --upgrade pip), then try again.',
};

/**
 * Finds a Python with a usable pip.
 *
 * @param {import('./paths.js').Place} place
 * @param {{ preferred?: (string | undefined)[], signal?: AbortSignal, runProgram?: typeof run }} [options] preferred: tried first
 * @returns {Promise<string>} its path; rejects with `no_pip` if there is none
 */
export async function findPipPython(place, { preferred = [], signal, runProgram = run } = {}) {
  const developerTools = place.platform === 'darwin' && (await hasDeveloperTools({ signal, runProgram }));
  const candidates = [...preferred, ...pythonCandidates(place, pythonRange, { developerTools })];
  for (const file of candidates) {
    if (!file || !existsSync(file)) continue;
    const result = await runProgram(file, ['-c', usablePip], { env: place.env, signal, timeoutMs: 20_000 });
    if (result.code === 0) return file;
  }
  signal?.throwIfAborted();
  throw new SetupError(
    'no_pip',
    `No Python ${pythonRange.minimum} or newer with pip was found.`,
    'Install Python 3 with pip (on Debian: python3-pip), then try again.',
  );
}

/**
 * Downloads one pinned file from the package index that pip uses. Resumes an earlier download (`<to>.part`). The total
 * time has no limit, as a slow connection may take hours; a connection without bytes is given up after a minute.
 *
 * @param {object} job
 * @param {string} job.python see findPipPython
 * @param {PackageFile} job.pin
 * @param {string} job.to path of the finished file; its folder is created
 * @param {Record<string, string | undefined>} job.env may set pip's index, a proxy, certificates
 * @param {(bytes: number) => void} [job.onProgress] bytes downloaded so far
 * @param {(pid: number) => void} [job.onSpawn]
 * @param {AbortSignal} [job.signal] ends the download; the downloaded part stays
 * @returns {Promise<void>} resolves when the file is complete and checked; rejects with a SetupError or the signal's
 * reason
 */
export async function fetchPackageFile({ python, pin, to, env, onProgress, onSpawn, signal }) {
  let failure;
  const onLine = (line) => {
    const event = eventOf(line);
    if (event?.event === 'progress') onProgress?.(event.bytes);
    if (event?.event === 'failed') failure = event;
  };
  const args = ['package', 'file', 'bytes', 'sha256'].flatMap((name) => [`--${name}`, String(pin[name])]);
  const result = await run(python, [script, ...args, '--to', to], { env, onLine, onSpawn, signal });
  signal?.throwIfAborted();
  if (result.code === 0) return;
  if (failure) throw new SetupError(failure.code, failure.message, cures[failure.code]);
  const reason = failureText(result);
  throw new SetupError(
    'download_failed',
    `Fetching ${pin.file} failed: ${reason}`,
    cures.download_interrupted,
  );
}

/** Parses a line of the script; undefined for any other output of pip or Python. */
function eventOf(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
