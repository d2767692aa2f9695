import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { STARTER_NAME } from '../../shared/domain';
import { type BrokenModel, type FoundModel, readModelFolder } from './model-folder';

/** Where MLX models are looked for. */
export interface ScanRoots {
  /** The bundled starter model's folder. */
  starter: string;
  /** Hugging Face cache folders (`…/hub`). */
  hubs: string[];
  /** Folders that hold model folders, one or two levels deep (`org/name` or `name`). */
  folders: string[];
  /** Folders given by name or path in settings (`MLX_MODEL_FAST` may be a path). */
  direct: string[];
}

export interface ScanResult {
  models: FoundModel[];
  broken: BrokenModel[];
}

/** The default places on this machine; `home` and `env` are passed in so that tests stay in their own folder. */
export function scanRoots(options: {
  home: string;
  env: Record<string, string | undefined>;
  resourcesDir: string;
  folders: readonly string[];
  direct: readonly string[];
}): ScanRoots {
  const { home, env } = options;
  const hfHome = env.HF_HOME ?? join(home, '.cache', 'huggingface');
  return {
    starter: join(options.resourcesDir, 'models', 'starter'),
    hubs: [env.HF_HUB_CACHE ?? join(hfHome, 'hub')],
    folders: [
      join(home, 'mlx-models'),
      join(home, '.mlx_models'),
      join(home, '.lmstudio', 'models'),
      join(home, '.cache', 'lm-studio', 'models'),
      ...options.folders,
    ],
    direct: options.direct.filter((name) => name.startsWith('/')),
  };
}

/**
 * Finds every model that MLX could load. Unreadable folders are skipped, unfinished ones are named in `broken`.
 * Of two models with one name the first found wins (the starter first).
 */
export async function scanMlxModels(roots: ScanRoots): Promise<ScanResult> {
  const result: ScanResult = { models: [], broken: [] };
  const seen = new Set<string>();
  const add = async (path: string, name: string, starter = false): Promise<boolean> => {
    const read = await readModelFolder(path, name, starter);
    if (!read) return false;
    if ('broken' in read) result.broken.push(read.broken);
    else if (!seen.has(read.found.info.name)) {
      seen.add(read.found.info.name);
      result.models.push(read.found);
    }
    return true;
  };
  await add(roots.starter, STARTER_NAME, true);
  for (const path of roots.direct) await add(path, path.split('/').filter(Boolean).at(-1) ?? path);
  for (const folder of roots.folders) {
    for (const name of await subfolders(folder)) {
      if (await add(join(folder, name), name)) continue;
      for (const inner of await subfolders(join(folder, name))) {
        await add(join(folder, name, inner), `${name}/${inner}`);
      }
    }
  }
  for (const hub of roots.hubs) await scanHub(hub, add);
  return result;
}

/** `models--org--name/snapshots/<revision>/`; of several revisions the one that `refs/main` names, else the newest. */
async function scanHub(hub: string, add: (path: string, name: string) => Promise<boolean>): Promise<void> {
  for (const entry of await subfolders(hub)) {
    if (!entry.startsWith('models--')) continue;
    // Only the first pair of dashes stands for the slash.
    const name = entry.slice('models--'.length).replace('--', '/');
    const revision = await currentRevision(join(hub, entry));
    if (revision) await add(join(hub, entry, 'snapshots', revision), name);
  }
}

async function currentRevision(repo: string): Promise<string | undefined> {
  const revisions = await subfolders(join(repo, 'snapshots'));
  const main = (await readFile(join(repo, 'refs', 'main'), 'utf8').catch(() => '')).trim();
  if (revisions.length < 2 || revisions.includes(main))
    return revisions.find((name) => name === main) ?? revisions[0];
  const times = await Promise.all(
    revisions.map(
      async (name) => (await stat(join(repo, 'snapshots', name)).catch(() => null))?.mtimeMs ?? 0,
    ),
  );
  return revisions[times.indexOf(Math.max(...times))];
}

async function subfolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}
