import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { failureText, run } from './run.js';
import { SetupError } from './setup-error.js';
import { hashFiles, readStamp, writeStamp } from './stamp.js';

const inputs = ['src', 'electron.vite.config.ts', 'tsconfig.json', 'package.json', 'package-lock.json'];
const stampFile = join('out', 'build-stamp.json');
const headlessEntry = join('out', 'main', 'headless.js');

/** All files below the inputs, in a stable order. */
function inputFiles(root) {
  const walk = (path, entries) =>
    entries
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const child = join(path, entry.name);
        if (entry.isDirectory()) return walk(child, readdirSync(child, { withFileTypes: true }));
        return entry.isFile() ? [child] : [];
      });
  const top = readdirSync(root, { withFileTypes: true }).filter((entry) => inputs.includes(entry.name));
  return walk(root, top);
}

/**
 * Fingerprint of everything that the build reads: names and contents. A few hundred small files; milliseconds.
 *
 * @param {string} root
 */
export function sourceHash(root) {
  // The program contains this list of its own files.
  const names = join(root, 'resources', 'data-folder.json');
  const files = [...inputFiles(root), ...(existsSync(names) ? [names] : [])];
  return `${files.length}:${hashFiles(files)}`;
}

/**
 * Whether the program was built from the current sources.
 *
 * @param {string} root
 */
export function isBuilt(root) {
  return (
    existsSync(join(root, headlessEntry)) && readStamp(join(root, stampFile))?.sources === sourceHash(root)
  );
}

/**
 * Builds the program with electron-vite.
 *
 * @param {string} root
 * @param {{ node: string, env: Record<string, string | undefined>, signal?: AbortSignal }} options node: Node 24
 */
export async function build(root, { node, env, signal }) {
  const sources = sourceHash(root);
  const script = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
  const quiet = { ...env, NODE_ENV: 'production', NO_COLOR: '1' };
  const result = await run(node, [script, 'build', '--logLevel', 'warn'], {
    cwd: root,
    env: quiet,
    signal,
    timeoutMs: 600_000,
  });
  signal?.throwIfAborted();
  if (result.code !== 0) throw new SetupError('build_failed', `The build failed: ${buildReason(result)}`);
  writeStamp(join(root, stampFile), { sources });
}

/** The bundler prints the error in its first lines and ends with its own stack. */
function buildReason(result) {
  const lines = result.stderr.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return lines.slice(0, 6).join('\n').slice(0, 800) || failureText(result);
}
