import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { failureText, run } from './run.js';
import { SetupError } from './setup-error.js';
import { readStamp } from './stamp.js';

/**
 * Whether an optional package of the lock file belongs on this machine. npm silently omits one that is for another
 * platform or libc, or needed only by such a package; those that name exactly our platform must be installed.
 */
function isSurelyForHere(entry, { platform, arch }) {
  const allows = (list, value) => {
    const names = [list ?? []].flat();
    if (names.includes(`!${value}`)) return false;
    const wanted = names.filter((name) => !name.startsWith('!'));
    return wanted.length === 0 || wanted.includes(value);
  };
  if (!entry.os && !entry.cpu) return false;
  return !entry.libc && allows(entry.os, platform) && allows(entry.cpu, arch);
}

/**
 * Compares the lock file with npm's record of installed packages (`node_modules/.package-lock.json`, written at the end
 * of an install, so that an interrupted one does not count).
 *
 * @param {any} lock parsed package-lock.json
 * @param {any} installed parsed node_modules/.package-lock.json, undefined if it is missing
 * @param {{ platform: string, arch: string }} machine
 * @returns {string | undefined} the first package that is missing or differs; undefined if there is none
 */
export function firstDifference(lock, installed, machine) {
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '' || entry.link) continue;
    const there = installed?.packages?.[path];
    if (there && there.version === entry.version && there.integrity === entry.integrity) continue;
    if (!there && entry.optional && !isSurelyForHere(entry, machine)) continue;
    return path;
  }
  return undefined;
}

/**
 * Whether `npm ci` must run.
 *
 * @param {string} root project folder
 * @param {{ platform: string, arch: string }} machine
 * @returns {string | undefined} why, as the end of a sentence; undefined if nothing must be done
 */
export function whyInstall(root, machine) {
  const lock = readStamp(join(root, 'package-lock.json'));
  if (!lock)
    throw new SetupError(
      'no_lock_file',
      'package-lock.json is missing or no JSON.',
      'Run: git checkout package-lock.json',
    );
  const installed = readStamp(join(root, 'node_modules', '.package-lock.json'));
  if (!installed) return 'nothing is installed yet';
  const difference = firstDifference(lock, installed, machine);
  if (difference) return `${difference.replace(/^.*node_modules\//, '')} differs from the lock file`;
  return undefined;
}

/**
 * How to call npm: the npm that started us, else one next to our Node, else the one on PATH.
 *
 * @param {Record<string, string | undefined>} env
 * @param {string} execPath
 * @returns {{ command: string, args: string[] }}
 */
export function npmCommand(env, execPath) {
  const script = env.npm_execpath;
  if (script && basename(script) === 'npm-cli.js' && existsSync(script))
    return { command: execPath, args: [script] };
  const beside = join(dirname(execPath), 'npm');
  return { command: existsSync(beside) ? beside : 'npm', args: [] };
}

/**
 * Installs exactly the lock file's packages, with npm's own integrity check.
 *
 * @param {string} root
 * @param {{ env: Record<string, string | undefined>, signal?: AbortSignal }} options
 */
export async function installDependencies(root, { env, signal }) {
  const { command, args } = npmCommand(env, process.execPath);
  const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = await run(command, [...args, ...flags], { cwd: root, env, signal, timeoutMs: 20 * 60_000 });
  signal?.throwIfAborted();
  if (result.code === 0) return;
  throw new SetupError(
    'install_failed',
    `npm ci failed: ${npmReason(result)}`,
    'Check the network connection and the free disk space, then start again.',
  );
}

/** npm prints the error in its first lines and ends with hints. */
function npmReason(result) {
  const said = [...result.stderr.matchAll(/^npm error (?!A complete log)(\S.*)$/gm)].map((match) => match[1]);
  return said.slice(0, 3).join(' ').slice(0, 400) || failureText(result);
}
