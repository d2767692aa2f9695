import { existsSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Runtime } from '../../shared/contract';
import { SMALL_MODEL_RUNTIME } from '../../shared/domain';
import { TandemError } from '../../shared/errors';

/** `<name>-<version>`, as the set-up names the folders it manages, and the file that it writes last into each. */
const RUNTIME_FOLDER = new RegExp(`^(mlx|ollama|${SMALL_MODEL_RUNTIME}|starter-training)-([\\da-f][\\w.]*)$`);
const STAMP = 'tandem-runtime.json';

/**
 * The managed runtimes on this machine with their size on disk.
 * @param inUse paths that the running app uses; a runtime that holds one is in use.
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
      inUse: inUse.some((used) => used === path || used.startsWith(`${path}/`)),
    });
  }
  return runtimes;
}

/** Removes one managed runtime. Rejects with `not_found`; the next start makes it again when it is needed. */
export async function removeRuntime(runtimeDir: string, name: string, version: string): Promise<void> {
  const folder = `${name}-${version}`;
  if (!(await ownFolders(runtimeDir)).includes(folder)) {
    throw new TandemError(
      'not_found',
      `There is no runtime ${folder}. Open the settings again to see what is there.`,
    );
  }
  await rm(join(runtimeDir, folder), { recursive: true, force: true });
}

/** Removes all versions of the small model and what is downloaded of it. Rejects with the file system's error. */
export async function removeSmallModel(runtimeDir: string): Promise<void> {
  const folders = (await ownFolders(runtimeDir)).filter((name) => name.startsWith(`${SMALL_MODEL_RUNTIME}-`));
  for (const name of [...folders, `.${SMALL_MODEL_RUNTIME}.download`])
    await rm(join(runtimeDir, name), { recursive: true, force: true });
}

/** The folder may have things of others in it, also under such a name. */
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
