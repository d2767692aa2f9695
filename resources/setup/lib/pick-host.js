import {
  downloadElectron,
  electronVersion,
  findElectron,
  forgetFailure,
  rememberedFailure,
  rememberFailure,
} from './electron-binary.js';
import { canShowWindows, chooseHost } from './host-choice.js';
import { runtimeDir } from './paths.js';
import { SetupError } from './setup-error.js';

/**
 * Chooses between Electron and the headless host; downloads Electron if only that is missing.
 *
 * @param {Pick<import('./context.js').Job, 'root' | 'place' | 'options' | 'steps' | 'signal'>} job
 * @returns {Promise<ReturnType<typeof chooseHost>>}
 */
export async function pickHost(job) {
  const { place, options } = job;
  const display = canShowWindows({ ...place, forced: options.headless, root: process.getuid?.() === 0 });
  return chooseHost(display.windows ? await obtainElectron(job) : display);
}

/** The existing binary, else a download, unless one failed within a day. */
async function obtainElectron({ root, place, options, steps, signal }) {
  const facts = { root, ...place };
  const there = findElectron(facts);
  if (there) return { path: there };
  const dir = runtimeDir(place);
  const version = electronVersion(root);
  const earlier = options.retryElectron ? undefined : rememberedFailure(dir, { version, now: Date.now() });
  if (earlier) {
    return { why: `Electron could not be fetched lately: ${earlier.reason}; --retry-electron tries again` };
  }
  const reason = await fetchElectron({ root, dir, env: place.env, steps, signal });
  const path = findElectron(facts);
  if (path) {
    forgetFailure(dir);
    return { path };
  }
  rememberFailure(dir, { version, now: Date.now(), reason });
  return { why: `Electron could not be fetched: ${reason}` };
}

/** @returns {Promise<string>} why its binary is missing, if it is missing afterwards */
async function fetchElectron({ root, dir, env, steps, signal }) {
  try {
    await steps.step('Fetching Electron', async (update) => {
      const onProgress = (size) => update(`Fetching Electron, ${size} MB`);
      const result = await downloadElectron({ root, dir, env, signal, onProgress });
      if (!result.ok) throw new SetupError('electron_unavailable', result.reason);
    });
    return 'its binary is not where it should be';
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return error.message;
  }
}
