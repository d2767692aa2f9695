import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareVersions } from './manifest.js';
import { programDirs } from './paths.js';
import { run } from './run.js';

/**
 * @typedef {object} Python
 * @property {string} path the interpreter outside any virtual environment
 * @property {string} version such as 3.12.1
 * @property {boolean} ensurepip whether `-m venv` can install pip into a new environment
 * @property {string} machine as `platform.machine()`
 */

const describe = `
import importlib.util as u, json, platform, sys
print(json.dumps(dict(path=getattr(sys, "_base_executable", None) or sys.executable, version=platform.python_version(),
  ensurepip=u.find_spec("ensurepip") is not None and u.find_spec("venv") is not None, machine=platform.machine())))
`;

/**
 * Reads the properties of an interpreter.
 *
 * @param {string} file
 * @param {{ signal?: AbortSignal, runProgram?: typeof run }} [options]
 * @returns {Promise<Python | undefined>} undefined if it fails or takes longer than 10 s
 */
export async function describePython(file, { signal, runProgram = run } = {}) {
  const result = await runProgram(file, ['-I', '-c', describe], { signal, timeoutMs: 10_000 });
  if (result.code !== 0) return undefined;
  try {
    return JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}

/** Names in order of preference: the machine's default first, then the newest tested version. */
function interpreterNames({ minimum, newestTried }) {
  const [, first] = minimum.split('.').map(Number);
  const [, last] = newestTried.split('.').map(Number);
  const numbered = [];
  for (let minor = last; minor >= first; minor -= 1) numbered.push(`python3.${minor}`);
  return ['python3', ...numbered, 'python'];
}

/** Additional folders: pyenv's versions, and python.org's framework on macOS. */
function extraDirs({ platform, home }) {
  const roots = [join(home, '.pyenv', 'versions')];
  if (platform === 'darwin') roots.push('/Library/Frameworks/Python.framework/Versions');
  return roots.flatMap((root) => {
    if (!existsSync(root)) return [];
    return readdirSync(root).map((name) => join(root, name, 'bin'));
  });
}

/**
 * All files on this machine that may be a usable Python, best first. On macOS `/usr/bin/python3` may be a stub that
 * opens a dialog, so it is omitted unless the developer tools are installed.
 *
 * @param {import('./paths.js').Place} place
 * @param {{ minimum: string, newestTried: string }} range
 * @param {{ developerTools: boolean }} facts
 * @returns {string[]}
 */
export function pythonCandidates(place, range, { developerTools }) {
  const dirs = [...programDirs(place), ...extraDirs(place)];
  const files = interpreterNames(range).flatMap((name) => dirs.map((dir) => join(dir, name)));
  const isStub = (file) => place.platform === 'darwin' && !developerTools && file.startsWith('/usr/bin/');
  return [...new Set(files)].filter((file) => !isStub(file) && existsSync(file));
}

/**
 * Whether an interpreter can run MLX: a version in range and, on Apple silicon, not an Intel build under Rosetta.
 *
 * @param {Python} python
 * @param {{ minimum: string, newestTried: string }} range
 * @param {string} platform
 */
export function isUsablePython(python, range, platform) {
  const tooOld = compareVersions(python.version, range.minimum) < 0;
  const [major, minor] = python.version.split('.');
  const tooNew = compareVersions(`${major}.${minor}`, range.newestTried) > 0;
  return !tooOld && !tooNew && (platform !== 'darwin' || python.machine === 'arm64');
}

/**
 * @param {{ signal?: AbortSignal, runProgram?: typeof run }} options
 * @returns {Promise<boolean>} whether macOS's command line tools are installed (`xcode-select -p` opens no dialog)
 */
export async function hasDeveloperTools({ signal, runProgram = run }) {
  return (await runProgram('/usr/bin/xcode-select', ['-p'], { signal, timeoutMs: 5000 })).code === 0;
}

/**
 * Finds the Python for the managed environment; prefers one that can create virtual environments.
 *
 * @param {import('./paths.js').Place} place
 * @param {{ minimum: string, newestTried: string }} range
 * @param {{ signal?: AbortSignal, runProgram?: typeof run, candidates?: string[] }} [options]
 * @returns {Promise<{ python: Python | undefined, seen: Python[] }>} seen: all that ran, for the doctor
 */
export async function findPython(place, range, options = {}) {
  const developerTools = place.platform === 'darwin' && (await hasDeveloperTools(options));
  const seen = [];
  const { candidates = pythonCandidates(place, range, { developerTools }) } = options;
  for (const file of candidates) {
    const python = await describePython(file, options);
    if (!python || seen.some((other) => other.path === python.path)) continue;
    seen.push(python);
    if (python.ensurepip && isUsablePython(python, range, place.platform)) return { python, seen };
  }
  return { python: seen.find((python) => isUsablePython(python, range, place.platform)), seen };
}
