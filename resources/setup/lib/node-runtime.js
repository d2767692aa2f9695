import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './setup-error.js';

/**
 * The Node that runs the program: this process's own if it is new enough, else the platform's binary package from the
 * lock file.
 *
 * @param {object} facts
 * @param {string} facts.version own version, as `process.versions.node`
 * @param {string} facts.execPath
 * @param {string} facts.platform
 * @param {string} facts.arch
 * @param {string} facts.root project folder
 * @param {{ minimum: number, packages: Record<string, string> }} facts.wanted from runtimes.json
 * @param {(file: string) => boolean} [facts.exists]
 * @returns {{ found: true, path: string, source: 'own' | 'package' } | { found: false, packageName: string | undefined }}
 */
export function findNode({ version, execPath, platform, arch, root, wanted, exists = existsSync }) {
  if (Number.parseInt(version, 10) >= wanted.minimum) return { found: true, path: execPath, source: 'own' };
  const packageName = wanted.packages[`${platform}-${arch}`];
  const path = packageName && join(root, 'node_modules', packageName, 'bin', 'node');
  return path && exists(path) ? { found: true, path, source: 'package' } : { found: false, packageName };
}

/**
 * The set-up scripts themselves need Node 20.
 *
 * @param {string} version
 */
export function requireNode20(version) {
  if (Number.parseInt(version, 10) >= 20) return;
  throw new SetupError('old_node', `This is Node ${version}.`, 'Install Node 20 or newer and start again.');
}

/** Facts of this process for findNode. */
export function ownNodeFacts(root, wanted) {
  const { execPath, platform, arch } = process;
  return { version: process.versions.node, execPath, platform, arch, root, wanted };
}
