import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { aptCommand, aptInstall } from './apt.js';
import { runtimeStamp } from './managed-dir.js';
import { failureText, run } from './run.js';
import { SetupError } from './setup-error.js';
import { hashFiles, readStamp, writeStamp } from './stamp.js';

/** The interpreter of a virtual environment. */
export function venvPython(folder) {
  return join(folder, 'bin', 'python');
}

/**
 * Quick check of a managed environment, without importing mlx_lm: the stamp matches, the package exists and the
 * interpreter runs (an upgrade of the underlying Python leaves a dead link).
 *
 * @param {string} folder
 * @param {{ recipe?: string[], runProgram?: typeof run, signal?: AbortSignal }} [options] `recipe`: the files that it
 * must have been built from; default: any
 * @returns {Promise<{ state: 'missing' | 'broken', why: string } | { state: 'good' }>}
 */
export async function checkVenv(folder, { recipe, runProgram = run, signal } = {}) {
  if (!existsSync(folder)) return { state: 'missing', why: 'not set up yet' };
  const stamp = readStamp(join(folder, runtimeStamp));
  if (!stamp) return { state: 'broken', why: 'it is not complete' };
  if (recipe && stamp.requirements !== hashFiles(recipe)) {
    return { state: 'broken', why: 'it was made in another way' };
  }
  if (stamp.probe && !existsSync(join(folder, stamp.probe)))
    return { state: 'broken', why: `${stamp.probe} is missing` };
  const result = await runProgram(venvPython(folder), ['-I', '-c', 'pass'], { signal, timeoutMs: 10_000 });
  return result.code === 0 ? { state: 'good' } : { state: 'broken', why: 'its Python does not run any more' };
}

/** Number of packages in a lock file, for the percentage. */
function countPackages(requirements) {
  return readFileSync(requirements, 'utf8').match(/^[a-z0-9].*==/gim)?.length ?? 0;
}

/**
 * Creates a virtual environment and installs the locked packages into it: checks every file against its hash, builds no
 * package from source.
 *
 * @param {object} job
 * @param {string} job.folder must not exist
 * @param {import('./python.js').Python} job.python
 * @param {string[]} job.recipe what determines its contents: the lock file with hashes, then scripts, if any
 * @param {string} [job.verify] Python code that must run at the end; its output is the runtime's version
 * @param {string} [job.packageName] import name whose folder must exist in later quick checks
 * @param {(sitePackages: string) => void} [job.trim] removes installed files that are not needed, before `verify`
 * @param {boolean} [job.mayInstall] whether a missing `python3-venv` may be installed
 * @param {string} [job.venvPackage] its Debian name
 * @param {(stage: string, detail: string, percent: number | null) => void} job.report
 * @param {(pid: number) => void} [job.onSpawn]
 * @param {AbortSignal} [job.signal]
 */
export async function buildVenv(job) {
  const { folder, python, recipe, report, signal, onSpawn } = job;
  const [requirements] = recipe;
  report('venv', `Making a virtual environment with Python ${python.version}`, null);
  await makeVenv(job);
  const total = countPackages(requirements);
  if (total > 0) await installPackages({ ...job, requirements, total });
  for (const sitePackages of sitePackagesOf(folder)) job.trim?.(join(folder, sitePackages));
  const version = await verify(job);
  const probe = job.packageName && findPackage(folder, job.packageName);
  removeScripts(folder);
  copyFileSync(requirements, join(folder, 'requirements.txt'));
  writeStamp(join(folder, runtimeStamp), {
    requirements: hashFiles(recipe),
    python: python.path,
    pythonVersion: python.version,
    version,
    probe,
    completedAt: new Date().toISOString(),
  });
  return { version };

  async function verify({ verify: code }) {
    if (!code) return undefined;
    report('verify', 'Checking that it works', 95);
    const result = await run(venvPython(folder), ['-c', code], { signal, timeoutMs: 180_000, onSpawn });
    signal?.throwIfAborted();
    if (result.code === 0) return result.stdout.trim().split('\n').at(-1);
    throw new SetupError('verify_failed', `The new MLX environment does not work: ${failureText(result)}`);
  }
}

async function makeVenv({ folder, python, mayInstall, venvPackage, signal, onSpawn, report }) {
  const make = () => run(python.path, ['-m', 'venv', folder], { signal, timeoutMs: 180_000, onSpawn });
  let result = python.ensurepip
    ? await make()
    : { code: 1, stdout: '', stderr: 'ensurepip is not available' };
  signal?.throwIfAborted();
  if (result.code !== 0 && venvPackage && mayInstall) {
    report('venv', `Installing the system package ${venvPackage}`, null);
    rmSync(folder, { recursive: true, force: true });
    await aptInstall([venvPackage], { signal });
    result = await make();
  }
  if (result.code === 0) return;
  const command = venvPackage ? aptCommand([venvPackage]) : undefined;
  throw new SetupError(
    'venv_unavailable',
    `${python.path} cannot make a virtual environment: ${failureText(result)}`,
    command ? `Run: ${command}` : 'Install Python again, with its venv and ensurepip modules.',
    command,
  );
}

async function installPackages({ folder, requirements, total, report, signal, onSpawn }) {
  let seen = 0;
  const onLine = (line) => {
    const name = /^Collecting (\S+?)(==|$)/.exec(line)?.[1];
    if (name) {
      seen += 1;
      report('install', `Fetching ${name}`, Math.min(70, Math.round((70 * seen) / total)));
    } else if (line.startsWith('Installing collected packages'))
      report('install', `Unpacking ${seen} packages`, 75);
  };
  report('install', `Fetching ${total} packages`, 0);
  const args = [
    '-m',
    'pip',
    'install',
    '--no-input',
    '--no-cache-dir',
    '--disable-pip-version-check',
    '--progress-bar',
    'off',
  ];
  const locked = ['--require-hashes', '--only-binary', ':all:', '-r', requirements];
  const options = { signal, onLine, timeoutMs: 30 * 60_000, onSpawn };
  const result = await run(venvPython(folder), [...args, ...locked], options);
  signal?.throwIfAborted();
  if (result.code === 0) return;
  throw new SetupError(
    'install_failed',
    `Installing the MLX packages failed: ${failureText(result)}`,
    'Check the network connection and the free disk space; Tandem tries again at its next start.',
  );
}

/** Folders of installed packages, relative to the environment. */
function sitePackagesOf(folder) {
  return readdirSync(join(folder, 'lib'))
    .map((entry) => join('lib', entry, 'site-packages'))
    .filter((path) => existsSync(join(folder, path)));
}

/** Path of an installed package's folder relative to the environment. */
function findPackage(folder, name) {
  return sitePackagesOf(folder)
    .map((path) => join(path, name))
    .find((path) => existsSync(join(folder, path)));
}

/** Scripts in `bin` contain the path of the temporary folder, so they would not work after the rename. */
function removeScripts(folder) {
  const bin = join(folder, 'bin');
  for (const entry of readdirSync(bin)) if (!/^python/.test(entry)) rmSync(join(bin, entry));
}
