/**
 * @typedef {object} HostFacts
 * @property {boolean} forced `--headless` was given
 * @property {string} platform
 * @property {Record<string, string | undefined>} env
 * @property {boolean} root whether we run as root
 *
 * Whether a window can be shown here; decided before Electron is looked up, so that a machine without a screen never
 * downloads it.
 *
 * @param {HostFacts} facts
 * @returns {{ windows: true } | { windows: false, why: string }}
 */
export function canShowWindows({ forced, platform, env, root }) {
  if (forced) return { windows: false, why: '--headless was given' };
  if (platform === 'darwin') {
    const remote = env.SSH_CONNECTION || env.SSH_TTY;
    return remote ? { windows: false, why: 'this is an SSH session' } : { windows: true };
  }
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return { windows: false, why: 'there is no display' };
  // Chromium's sandbox does not run as root, and we do not disable the sandbox.
  if (root) return { windows: false, why: 'Electron does not run as root' };
  return { windows: true };
}

/**
 * @param {{ path: string } | { path?: undefined, why: string }} electron why: there is no window, or no Electron
 * @returns {{ host: 'electron', path: string, line: string } | { host: 'headless', line: string }} line: output
 */
export function chooseHost(electron) {
  if (electron.path === undefined)
    return { host: 'headless', line: `Host: headless, the UI is served to a browser (${electron.why}).` };
  const line = 'Host: Electron (its binary and a display are there).';
  return { host: 'electron', path: electron.path, line };
}
