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
 * @param {object} job
 * @param {string} job.root
 * @param {import('./paths.js').Place} job.place
 * @param {import('./options.js').StartOptions} job.options
 * @param {boolean} job.runsAsRoot
 * @param {ReturnType<typeof import('./steps.js').stepPrinter>} job.steps
 * @param {AbortSignal} [job.signal]
 * @returns {Promise<ReturnType<typeof chooseHost>>}
 */
export async function pickHost({ root, place, options, runsAsRoot, steps, signal }) {
  const { platform, env } = place;
  const display = canShowWindows({ forced: options.headless, platform, env, root: runsAsRoot });
  if (!display.windows) return chooseHost(display, { path: undefined, why: display.why });
  return chooseHost(
    display,
    await obtainElectron({ root, place, retry: options.retryElectron, steps, signal }),
  );
}

/** The existing binary, else a download, unless one failed within a day. */
async function obtainElectron({ root, place, retry, steps, signal }) {
  const facts = { root, env: place.env, platform: place.platform };
  const there = findElectron(facts);
  if (there) return { path: there };
  const dir = runtimeDir(place);
  const version = electronVersion(root);
  const earlier = retry ? undefined : rememberedFailure(dir, { version, now: Date.now() });
  if (earlier) {
    return {
      path: undefined,
      why: `Electron could not be fetched lately: ${earlier.reason}; --retry-electron tries again`,
    };
  }
  const reason = await fetchElectron({ root, dir, env: place.env, steps, signal });
  const path = findElectron(facts);
  if (path) {
    forgetFailure(dir);
    return { path };
  }
  rememberFailure(dir, { version, now: Date.now(), reason });
  return { path: undefined, why: `Electron could not be fetched: ${reason}` };
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
