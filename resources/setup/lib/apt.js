import { existsSync } from 'node:fs';
import { failureText, run } from './run.js';
import { SetupError } from './setup-error.js';

/**
 * Whether missing system packages may be installed here: as root on Debian, unless it is disabled.
 *
 * @param {{ allowed: boolean, uid?: number, debian?: boolean }} facts
 */
export function mayInstallPackages({
  allowed,
  uid = process.getuid?.(),
  debian = existsSync('/etc/debian_version'),
}) {
  return allowed && uid === 0 && debian;
}

/**
 * The command with which the user installs these packages.
 *
 * @param {string[]} packages Debian names
 */
export function aptCommand(packages) {
  return `sudo apt-get install -y ${packages.join(' ')}`;
}

/**
 * Installs Debian packages. Rejects with `system_packages` and the command as cure.
 *
 * @param {string[]} packages
 * @param {{ signal?: AbortSignal, runProgram?: typeof run }} [options]
 */
export async function aptInstall(packages, { signal, runProgram = run } = {}) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, signal, timeoutMs: 10 * 60_000 };
  const install = () =>
    runProgram('apt-get', ['install', '-y', '--no-install-recommends', ...packages], options);
  let result = await install();
  if (result.code !== 0) {
    // The package lists may be missing or old: update them once.
    await runProgram('apt-get', ['update'], options);
    result = await install();
  }
  if (result.code !== 0) {
    const message = `Installing ${packages.join(', ')} failed: ${failureText(result)}`;
    const command = `apt-get update && ${aptCommand(packages)}`;
    throw new SetupError('system_packages', message, `Run: ${command}`, command);
  }
}
