import { existsSync } from 'node:fs';
import { aptCommand, aptInstall, mayInstallPackages } from './apt.js';
import { findProgram } from './paths.js';
import { SetupError } from './setup-error.js';

/** The first is Chromium without windows: it renders the same pages with half of the processor time. */
const names = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'chrome',
];
const macApps = ['Google Chrome', 'Chromium'];

/** The installed Chromium: from `TANDEM_CHROMIUM`, PATH, or macOS's applications. */
function installedChromium(place) {
  if (place.env.TANDEM_CHROMIUM) return place.env.TANDEM_CHROMIUM;
  const apps = macApps.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
  return (
    findProgram(place, names) ??
    (place.platform === 'darwin' ? apps.find((app) => existsSync(app)) : undefined)
  );
}

/**
 * The browser for the UI tests; as root on Debian the fastest one is installed, and its name printed.
 *
 * @param {Pick<import('./context.js').Job, 'place' | 'steps' | 'signal'> & { aptName: string }} job
 * aptName: package and program name of the fastest one
 * @returns {Promise<string>} its path; rejects with `no_chromium` and the cure
 */
export async function findChromium({ place, aptName, steps, signal }) {
  const there = installedChromium(place);
  const isChosen = Boolean(place.env.TANDEM_CHROMIUM) || findProgram(place, [aptName]) !== undefined;
  if (!isChosen && mayInstallPackages({ allowed: true })) {
    const install = () => aptInstall([aptName], { signal });
    try {
      await steps.step(`Installing the system package ${aptName}`, install);
    } catch (error) {
      signal?.throwIfAborted();
      if (!there) throw error;
    }
  }
  const path = installedChromium(place);
  if (path) return path;
  const cure =
    place.platform === 'darwin' ? 'Install Google Chrome or Chromium.' : `Run: ${aptCommand([aptName])}`;
  throw new SetupError('no_chromium', 'The UI tests need a Chromium, and none was found.', cure);
}
