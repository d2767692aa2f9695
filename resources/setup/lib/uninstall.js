import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { ownPaths, removeIfEmpty } from './data-folder.js';
import { tryLock } from './lock.js';
import { isOwnRuntimeEntry, sizeOf, smallModelFolder } from './managed-dir.js';
import { modelsInOllama } from './models-in-ollama.js';
import { dataDir, runtimeDir } from './paths.js';
import { runningInstance } from './running-instance.js';
import { instancesUsing } from './runtime-marks.js';
import { SetupError } from './setup-error.js';

/**
 * Files that an uninstall would remove: only Tandem's, even in a folder with other files; of Ollama's models only those
 * that Tandem created, never the user's own, and no model folders.
 *
 * @param {import('./paths.js').Place} place
 * @param {{ keepData: boolean }} options
 * @returns {{ what: string, path: string, bytes: number }[]}
 */
export function removals(place, { keepData }) {
  const runtimes = runtimeDir(place);
  const entries = existsSync(runtimes)
    ? readdirSync(runtimes).filter((entry) => isOwnRuntimeEntry(runtimes, entry))
    : [];
  const found = entries.sort().map((entry) => ({ what: 'runtime', path: join(runtimes, entry) }));
  for (const path of modelsInOllama(place)) found.push({ what: 'small model in Ollama', path });
  if (!keepData)
    for (const path of ownPaths(dataDir(place))) found.push({ what: 'settings, chats and logs', path });
  return found.map((entry) => ({ ...entry, bytes: sizeOf(entry.path) }));
}

/**
 * Removes everything that Tandem has installed outside its own folder, after confirmation.
 *
 * @param {Pick<import('./context.js').Job, 'options' | 'place' | 'root' | 'out'> & { input?: NodeJS.ReadStream }} job
 * @returns {Promise<number>} exit code; rejects with `busy` while Tandem or a set-up runs
 */
export async function uninstall({ options, place, root, out, input = process.stdin }) {
  refuseWhileRunning(place);
  const found = removals(place, options);
  if (found.length === 0) {
    out.write('There is nothing to remove.\n');
    return 0;
  }
  for (const { what, path, bytes } of found) out.write(`${sizeText(bytes).padStart(9)}  ${path} (${what})\n`);
  if (!options.yes && !(await agreed(input, out))) {
    out.write('Nothing was removed. Without a terminal, add --yes.\n');
    return 1;
  }
  for (const { path } of found) rmSync(path, { recursive: true, force: true });
  removeEmptyFolders(place, options);
  const total = found.reduce((sum, entry) => sum + entry.bytes, 0);
  out.write(
    `Removed ${sizeText(total)}. Your own Ollama models were not touched. What is left is this folder: ${root}\n`,
  );
  return 0;
}

function refuseWhileRunning(place) {
  const instance = runningInstance(dataDir(place));
  const cure = 'End it and run the command again.';
  if (instance) throw new SetupError('busy', `Tandem is running (process ${instance.pid}).`, cure);
  const runtimes = runtimeDir(place);
  if (!existsSync(runtimes)) return;
  const [other] = instancesUsing(runtimes);
  if (other)
    throw new SetupError(
      'busy',
      `A Tandem with another data folder is running (process ${other.pid}).`,
      cure,
    );
  for (const name of ['mlx', 'ollama', smallModelFolder]) {
    const lock = tryLock(join(runtimes, `.${name}.lock`));
    if (!lock.taken)
      throw new SetupError('busy', `Tandem is setting up ${name} (process ${lock.holder}).`, cure);
    lock.release();
  }
}

async function agreed(input, out) {
  if (!input.isTTY) return false;
  const prompt = createInterface({ input, output: out });
  const answer = await prompt.question('Remove all of this? [y/N] ');
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** The parent folder of the runtimes is removed only if we chose its path. */
function removeEmptyFolders(place, { keepData }) {
  const runtimes = runtimeDir(place);
  removeIfEmpty(runtimes);
  if (!place.env.TANDEM_RUNTIME_DIR) removeIfEmpty(dirname(runtimes));
  const data = dataDir(place);
  if (!keepData)
    for (const folder of [join(data, 'logs'), join(data, 'backups'), data]) removeIfEmpty(folder);
}

/** A number of bytes as text. */
function sizeText(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${Math.ceil(bytes / 1e3)} kB`;
}
