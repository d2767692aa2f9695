import { npmCommand, whyInstall } from './dependencies.js';
import { electronVersion, findElectron, rememberedFailure } from './electron-binary.js';
import { canShowWindows } from './host-choice.js';
import { findNode, ownNodeFacts } from './node-runtime.js';
import { runtimeDir } from './paths.js';
import { run } from './run.js';

/** Node 24: our own, the platform's package, or one that `npm ci` will install. */
export async function checkNode({ root, manifest }) {
  const node = findNode(ownNodeFacts(root, manifest.node));
  if (node.found) {
    const version =
      node.source === 'own' ? process.versions.node : (await run(node.path, ['--version'])).stdout.trim();
    return { state: 'found', detail: `${version.replace(/^v/, '')} (${node.path})` };
  }
  const detail = `this is Node ${process.versions.node}; Tandem runs on ${manifest.node.minimum}`;
  if (node.packageName) {
    const cure = `npm start installs the package ${node.packageName}.`;
    return { state: 'missing', detail, cure, obtainable: true };
  }
  return { state: 'missing', detail, cure: `Install Node ${manifest.node.minimum}.` };
}

/** The packages of the lock file, or an npm that can install them. */
export async function checkDependencies({ root, place, signal }) {
  let why;
  try {
    why = whyInstall(root, { platform: process.platform, arch: process.arch });
  } catch (error) {
    return { state: 'broken', detail: error.message, cure: error.cure };
  }
  if (!why) return { state: 'found', detail: 'installed as in the lock file' };
  const { command, args } = npmCommand(place.env, process.execPath);
  const npm = await run(command, [...args, '--version'], { env: place.env, signal, timeoutMs: 20_000 });
  if (npm.code === 0) {
    return { state: 'missing', detail: why, cure: 'npm start installs them.', obtainable: true };
  }
  return { state: 'missing', detail: `${why}, and there is no npm`, cure: 'Install npm.' };
}

/** Electron is never required: without it the UI opens in the browser. */
export async function checkElectron({ root, place, headless }) {
  const path = findElectron({ root, ...place });
  if (path) return { state: 'found', detail: path };
  const instead = 'the UI opens in the browser instead';
  const display = canShowWindows({ ...place, forced: headless, root: process.getuid?.() === 0 });
  if (!display.windows) return { state: 'missing', detail: `not needed: ${display.why}; ${instead}` };
  const failure = rememberedFailure(runtimeDir(place), { version: electronVersion(root), now: Date.now() });
  if (failure) {
    const cure = 'Run: npm start -- --retry-electron';
    return { state: 'missing', detail: `it could not be fetched: ${failure.reason}; ${instead}`, cure };
  }
  return { state: 'missing', detail: instead, cure: 'npm start fetches it.', obtainable: true };
}
