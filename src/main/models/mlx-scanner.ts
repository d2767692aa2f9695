import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SMALL_MODEL_NAME } from '../../shared/domain';
import { isWeightsFile } from '../memory/model-needs';
import { mapBounded } from './map-bounded';
import { type BrokenModel, type FoundModel, type ReadFolder, readModelFolder } from './model-folder';
import type { ScanRoots } from './scan-roots';

export interface ScanResult {
  models: FoundModel[];
  broken: BrokenModel[];
  /** Folders in which something new would show, for whoever watches them. */
  visited: string[];
}

interface Place {
  path: string;
  name: string;
  small?: boolean;
}

/**
 * Folders read at once: enough to keep the four threads of Node's file system busy, few enough that requests do not wait
 * behind them.
 */
const AT_ONCE = 8;

/**
 * Finds every model that MLX could load. Unreadable folders are skipped, unfinished ones are named in `broken`.
 * A model found twice is listed once: under one name the first counts (the small model first), and the same files under
 * another name (a folder's own beside `org/name`) become an alias. Never rejects.
 */
export async function scanMlxModels(roots: ScanRoots): Promise<ScanResult> {
  const direct = roots.direct.map((path) => ({ path, name: basename(path) }));
  const folders = (await mapBounded(roots.folders, AT_ONCE, listFolder)).flat();
  const repos = (await mapBounded(roots.hubs, AT_ONCE, listHub)).flat();
  const own = roots.small === null ? [] : [{ path: roots.small, name: SMALL_MODEL_NAME, small: true }];
  const outer = await readAll([...own, ...direct, ...folders]);
  // A folder that is no model may be an organisation's.
  const orgs = folders.filter((_, index) => outer[own.length + direct.length + index] === null);
  const members = (
    await mapBounded(orgs, AT_ONCE, async ({ path, name }) =>
      (await subfolders(path)).map((inner) => ({ path: join(path, inner), name: `${name}/${inner}` })),
    )
  ).flat();
  const snapshots = await mapBounded(repos, AT_ONCE, currentSnapshot);
  const inner = await readAll(members);
  const hub = await mapBounded(snapshots, AT_ONCE, readSnapshot);
  return {
    ...listOnce([...outer, ...inner, ...hub].filter((read) => read !== null)),
    visited: visitedBy(
      roots,
      folders,
      members,
      repos,
      snapshots.filter((place) => place !== null),
    ),
  };
}

function readAll(places: readonly Place[]): Promise<(ReadFolder | null)[]> {
  return mapBounded(places, AT_ONCE, ({ path, name, small }) => readModelFolder(path, name, small));
}

async function listFolder(folder: string): Promise<Place[]> {
  return (await subfolders(folder)).map((name) => ({ path: join(folder, name), name }));
}

/** `models--org--name` in a hub; only the first pair of dashes stands for the slash. */
async function listHub(hub: string): Promise<Place[]> {
  return (await subfolders(hub))
    .filter((entry) => entry.startsWith('models--'))
    .map((entry) => ({
      path: join(hub, entry),
      name: entry.slice('models--'.length).replace('--', '/'),
    }));
}

/** `snapshots/<revision>/`; of several revisions the one that `refs/main` names, else the newest. */
async function currentSnapshot({ path, name }: Place): Promise<(Place & { repo: string }) | null> {
  const revisions = await subfolders(join(path, 'snapshots'));
  const [only] = revisions;
  if (only === undefined) return null;
  const at = (revision: string) => ({ path: join(path, 'snapshots', revision), name, repo: path });
  if (revisions.length === 1) return at(only);
  const main = (await readFile(join(path, 'refs', 'main'), 'utf8').catch(() => '')).trim();
  if (revisions.includes(main)) return at(main);
  const times = await Promise.all(
    revisions.map((revision) =>
      stat(at(revision).path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return at(revisions[times.indexOf(Math.max(...times))] ?? only);
}

/**
 * Many repositories are kept for their description or their tokenizer alone: without weights only one that is being
 * fetched is broken.
 */
async function readSnapshot(place: (Place & { repo: string }) | null): Promise<ReadFolder | null> {
  if (!place) return null;
  const read = await readModelFolder(place.path, place.name);
  if (!read || !('broken' in read)) return read;
  const names = await readdir(place.path).catch(() => []);
  if (names.some(isWeightsFile)) return read;
  const blobs = await readdir(join(place.repo, 'blobs')).catch(() => []);
  if (!blobs.some((blob) => blob.endsWith('.incomplete'))) return null;
  return { broken: { ...read.broken, reason: 'download_unfinished' } };
}

function listOnce(read: readonly ReadFolder[]): Pick<ScanResult, 'models' | 'broken'> {
  const byName = new Map<string, FoundModel>();
  const byFiles = new Map<string, FoundModel>();
  for (const entry of read) {
    if (!('found' in entry)) continue;
    const { found } = entry;
    if (byName.has(found.info.name)) continue;
    byName.set(found.info.name, found);
    const files = `${basename(found.info.name).toLowerCase()} ${found.info.sizeBytes}`;
    const twin = byFiles.get(files);
    if (twin) twin.info.aliases = [...(twin.info.aliases ?? []), found.info.name];
    else byFiles.set(files, found);
  }
  const broken = new Map<string, BrokenModel>();
  for (const entry of read) {
    if (!('broken' in entry) || byName.has(entry.broken.name) || broken.has(entry.broken.name)) continue;
    broken.set(entry.broken.name, entry.broken);
  }
  return { models: [...byFiles.values()], broken: [...broken.values()] };
}

function visitedBy(roots: ScanRoots, ...found: (readonly Place[])[]): string[] {
  const places = found.flat().map(({ path }) => path);
  return [...roots.folders, ...roots.hubs, ...roots.direct, ...places];
}

async function subfolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}
