import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sizeOf } from './managed-dir.js';
import { failureText, run } from './run.js';
import { readStamp, writeStamp } from './stamp.js';

const dayMs = 24 * 60 * 60 * 1000;
const markName = 'electron-failure.json';

/** Path of the executable inside Electron's folder. */
function executableName(platform) {
  return platform === 'darwin' ? join('Electron.app', 'Contents', 'MacOS', 'Electron') : 'electron';
}

/**
 * Electron's executable, if installed: in `ELECTRON_OVERRIDE_DIST_PATH`, else where the package unpacks it. Never loads
 * the package, since that would start a download.
 *
 * @param {{ root: string, env: Record<string, string | undefined>, platform: string }} facts
 * @returns {string | undefined}
 */
export function findElectron({ root, env, platform }) {
  const folder = join(root, 'node_modules', 'electron');
  const path = env.ELECTRON_OVERRIDE_DIST_PATH
    ? join(env.ELECTRON_OVERRIDE_DIST_PATH, executableName(platform))
    : join(folder, 'dist', executableName(platform));
  // path.txt is written last: without it, unpacking was interrupted.
  const complete = env.ELECTRON_OVERRIDE_DIST_PATH || existsSync(join(folder, 'path.txt'));
  return complete && existsSync(path) ? path : undefined;
}

/** Version of the installed Electron package. */
export function electronVersion(root) {
  try {
    return JSON.parse(readFileSync(join(root, 'node_modules', 'electron', 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}

/**
 * A recent failed download: of the same version and less than a day old.
 *
 * @param {string} dir runtime folder
 * @param {{ version: string | undefined, now: number }} facts
 * @returns {{ reason: string } | undefined}
 */
export function rememberedFailure(dir, { version, now }) {
  const mark = readStamp(join(dir, markName));
  if (!mark || mark.version !== version || now - mark.at >= dayMs || mark.at > now) return undefined;
  return { reason: mark.reason };
}

/** Records a failed download in the runtime folder. */
export function rememberFailure(dir, { version, now, reason }) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeStamp(join(dir, markName), { version, at: now, reason });
}

/** Removes the record of a failed download. */
export function forgetFailure(dir) {
  rmSync(join(dir, markName), { force: true });
}

/**
 * Downloads Electron with its own installer. There is no limit while the download makes progress; after `stallMs`
 * without progress it is ended, so that a missing network costs only seconds.
 *
 * @param {object} job
 * @param {string} job.root
 * @param {string} job.dir runtime folder
 * @param {Record<string, string | undefined>} job.env
 * @param {(megabytes: number) => void} [job.onProgress]
 * @param {number} [job.stallMs]
 * @param {AbortSignal} [job.signal]
 * @returns {Promise<{ ok: true } | { ok: false, reason: string }>}
 */
export async function downloadElectron({ root, dir, env, onProgress, stallMs = 10_000, signal }) {
  const folder = join(root, 'node_modules', 'electron');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const temporary = mkdtempSync(join(dir, '.electron-'));
  const stalled = new AbortController();
  let last = { size: 0, at: Date.now() };
  const timer = setInterval(() => {
    const size = sizeOf(temporary) + sizeOf(join(dir, 'electron-cache')) + sizeOf(join(folder, 'dist'));
    if (size !== last.size) last = { size, at: Date.now() };
    else if (Date.now() - last.at > stallMs) stalled.abort();
    onProgress?.(Math.round(size / 1e6));
  }, 500);
  try {
    const result = await run(process.execPath, [join(folder, 'install.js')], {
      // The archive is kept for other clones, in a folder that the uninstaller knows.
      env: { ...env, TMPDIR: temporary, electron_config_cache: join(dir, 'electron-cache') },
      signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
    });
    signal?.throwIfAborted();
    if (stalled.signal.aborted) return { ok: false, reason: `nothing arrived for ${stallMs / 1000} s` };
    return result.code === 0 ? { ok: true } : { ok: false, reason: firstReason(result) };
  } finally {
    clearInterval(timer);
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The installer prints a stack; its first line contains the error. */
function firstReason(result) {
  const line = result.stderr.split('\n').find((text) => /error/i.test(text));
  return (line ?? failureText(result)).trim().slice(0, 200);
}
