import { existsSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Runtime } from '../../shared/contract';
import { SMALL_MODEL_RUNTIME } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import { isUsed } from './runtime-marks';

/** `<name>-<version>`, the set-up's names for its folders, and the file that it writes last into each. */
const RUNTIME_FOLDER = new RegExp(`^(mlx|ollama|${SMALL_MODEL_RUNTIME}|starter-training)-([\\da-f][\\w.]*)$`);
const STAMP = 'tandem-runtime.json';

/** The small model in its runtime's folder: as MLX loads it, and as Ollama does. */
export function smallModelIn(path: string): { folder: string; gguf: string } {
  return { folder: join(path, 'mlx'), gguf: join(path, 'model.gguf') };
}

/**
 * The managed runtimes on this machine with their size on disk.
 * @param inUse paths that running instances of Tandem use; a runtime that contains one is in use.
 */
export async function listRuntimes(runtimeDir: string, inUse: readonly string[]): Promise<Runtime[]> {
  const runtimes: Runtime[] = [];
  for (const folder of await ownFolders(runtimeDir)) {
    const match = RUNTIME_FOLDER.exec(folder);
    if (!match?.[1] || !match[2]) continue;
    const path = join(runtimeDir, folder);
    runtimes.push({
      name: match[1],
      version: match[2],
      sizeBytes: await sizeOf(path),
      inUse: isUsed(path, inUse),
    });
  }
  return runtimes;
}

/**
 * Removes one managed runtime; the next start builds it again if needed. Rejects with `not_found`, or with
 * `runtime_in_use`.
 *
 * @param usedByOthers paths that other instances of Tandem use
 * @param release ends its users in this instance before anything is removed
 */
export async function removeRuntime(
  { runtimeDir, name, version }: { runtimeDir: string; name: string; version: string },
  usedByOthers: readonly string[],
  release: () => Promise<void>,
): Promise<void> {
  const folder = `${name}-${version}`;
  if (!(await ownFolders(runtimeDir)).includes(folder)) {
    throw new TandemError(
      'not_found',
      `There is no runtime ${folder}. Open the settings again to see what is there.`,
    );
  }
  if (isUsed(join(runtimeDir, folder), usedByOthers)) {
    throw new TandemError(
      'runtime_in_use',
      `Another Tandem that is running uses ${folder}. Quit that one, then try again.`,
      { details: { name, version } },
    );
  }
  await release();
  await rm(join(runtimeDir, folder), { recursive: true, force: true });
}

/**
 * Removes the versions of the small model that no other instance of Tandem uses, and its downloads. Rejects with the
 * file system's error.
 *
 * @returns the folders of all versions
 */
export async function removeSmallModel(
  runtimeDir: string,
  usedByOthers: readonly string[],
): Promise<string[]> {
  const names = (await ownFolders(runtimeDir)).filter((name) => name.startsWith(`${SMALL_MODEL_RUNTIME}-`));
  const versions = names.map((name) => join(runtimeDir, name));
  const unused = versions.filter((folder) => !isUsed(folder, usedByOthers));
  for (const path of [...unused, join(runtimeDir, `.${SMALL_MODEL_RUNTIME}.download`)])
    await rm(path, { recursive: true, force: true });
  return versions;
}

/** The folder may also contain foreign files with such a name. */
async function ownFolders(runtimeDir: string): Promise<string[]> {
  const names = await readdir(runtimeDir).catch(() => [] as string[]);
  const isOwn = (name: string) => RUNTIME_FOLDER.test(name) && existsSync(join(runtimeDir, name, STAMP));
  return names.filter(isOwn).sort();
}

/** Bytes of a folder's files; links are not followed. */
async function sizeOf(path: string): Promise<number> {
  const stats = await lstat(path).catch(() => null);
  if (!stats) return 0;
  if (!stats.isDirectory()) return stats.size;
  const names = await readdir(path).catch(() => [] as string[]);
  let sum = 0;
  // One folder at a time: a virtual environment has tens of thousands of files.
  for (const name of names) sum += await sizeOf(join(path, name));
  return sum;
}
