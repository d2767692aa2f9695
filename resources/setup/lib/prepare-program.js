import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, isBuilt } from './build.js';
import { installDependencies, whyInstall } from './dependencies.js';
import { takeLock } from './lock.js';
import { findNode, ownNodeFacts } from './node-runtime.js';
import { SetupError } from './setup-error.js';

/**
 * Installs the dependencies and builds the program if needed; the checks take milliseconds.
 *
 * @param {Pick<import('./context.js').Job, 'root' | 'place' | 'manifest' | 'steps' | 'signal'> & { withBuild?: boolean }} job
 * `withBuild`: default true
 * @returns {Promise<{ node: string }>} Node 24; rejects with a SetupError
 */
export async function prepareProgram({ root, place, manifest, steps, withBuild = true, signal }) {
  const machine = { platform: process.platform, arch: process.arch };
  const ready = () => !whyInstall(root, machine) && (!withBuild || isBuilt(root));
  if (ready()) return { node: nodeOrFail(root, manifest) };
  mkdirSync(join(root, 'out'), { recursive: true });
  const onWait = (holder) =>
    steps.say(`Waiting: another npm start (process ${holder}) is installing or building here.`);
  const lock = await takeLock(join(root, 'out', '.setup.lock'), { onWait, signal });
  try {
    const why = whyInstall(root, machine);
    if (why)
      await steps.step(`Installing dependencies (${why})`, () =>
        installDependencies(root, { env: place.env, signal }),
      );
    const node = nodeOrFail(root, manifest);
    if (withBuild && !isBuilt(root))
      await steps.step('Building', () => build(root, { node, env: place.env, signal }));
    return { node };
  } finally {
    lock.release();
  }
}

function nodeOrFail(root, manifest) {
  const node = findNode(ownNodeFacts(root, manifest.node));
  if (node.found) return node.path;
  const name = node.packageName
    ? `the package ${node.packageName} was not installed`
    : 'there is no package of it for this machine';
  const message = `Tandem runs on Node ${manifest.node.minimum}; this is Node ${process.versions.node}, and ${name}.`;
  throw new SetupError('no_node', message, `Install Node ${manifest.node.minimum} and start again.`);
}
