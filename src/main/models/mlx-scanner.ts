import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SMALL_MODEL_NAME } from '../../shared/domain';
import { isWeightsFile } from '../memory/model-needs';
import { freeBytesAt } from './disk-space';
import { namesIn, type ReadFolder, readModelFolder, stampOf } from './model-folder';
import { readText, statOf } from './regular-file';
import { keyOf, type ScanLine, type ScanRequest } from './scan-lines';
import { pointedTo, type ScanPlace, scanPlaces, studioFolders } from './scan-places';

/** Limit of subfolders per folder; a folder with more is not a model folder. */
const MOST_SUBFOLDERS = 10_000;
/** Levels of Ollama's manifests: host, namespace, model; the tags are files. */
const MANIFEST_DEPTH = 3;
const MAX_REF_BYTES = 256;
/** `hub_files.py` keeps it in a repository until its download is complete. */
const DOWNLOAD_NOTES = '.tandem-download';

interface Named {
  path: string;
  name: string;
}

/**
 * Scans for all models that MLX can load, and for the folders in which a new one would appear. A line is emitted before
 * its path is accessed, so that the reader knows where a scan hangs. Unreadable folders are skipped. Synchronous: runs
 * in a process of its own.
 */
export function* scan(request: ScanRequest): Generator<ScanLine> {
  yield* new Scanner(request).scan();
  yield { type: 'end' };
}

class Scanner {
  readonly #request: ScanRequest;
  readonly #seen = new Set<string>();

  constructor(request: ScanRequest) {
    this.#request = request;
  }

  *scan(): Generator<ScanLine> {
    for (const place of scanPlaces(this.#request)) yield* this.#place(place);
  }

  *#place(place: ScanPlace): Generator<ScanLine> {
    if (this.#seen.has(place.path)) return;
    this.#seen.add(place.path);
    const skipped = this.#request.skip.includes(place.path);
    yield { type: 'place', path: place.path, skipped, owner: place.owner };
    if (!skipped) yield* this.#look(place);
    // Its settings name the moved models folder and cannot be read; the results of its own `models` folder stay.
    else if (place.kind === 'studio') {
      yield { type: 'place', path: join(place.path, 'models'), skipped, owner: place.owner };
    }
  }

  *#look({ kind, path }: ScanPlace): Generator<ScanLine> {
    switch (kind) {
      case 'small':
        yield* this.#model({ path, name: SMALL_MODEL_NAME }, true);
        return;
      case 'model':
        yield { type: 'folder', path };
        yield* this.#model({ path, name: nameOf(path) });
        return;
      case 'folder':
        yield* this.#folder(path);
        return;
      case 'hub':
        yield* this.#hub(path);
        yield { type: 'disk', freeBytes: freeBytesAt(path) };
        return;
      case 'studio':
        for (const place of studioFolders(path)) yield* this.#place(place);
        return;
      case 'pointer':
        for (const place of pointedTo(path)) yield* this.#place(place);
        return;
      case 'ollama':
        yield* this.#manifests(path, MANIFEST_DEPTH);
    }
  }

  *#folder(path: string): Generator<ScanLine> {
    yield { type: 'folder', path };
    const orgs: string[] = [];
    for (const name of subfolders(path)) {
      const inner = { path: join(path, name), name: nameOf(join(path, name)) };
      yield { type: 'folder', path: inner.path };
      // A folder that is not a model may be an organisation's.
      if (!(yield* this.#model(inner))) orgs.push(name);
    }
    for (const org of orgs) {
      for (const name of subfolders(join(path, org))) {
        const inner = { path: join(path, org, name), name: `${org}/${name}` };
        yield { type: 'folder', path: inner.path };
        yield* this.#model(inner);
      }
    }
  }

  /** `models--org--name` in a hub; only the first pair of dashes is a slash. */
  *#hub(hub: string): Generator<ScanLine> {
    yield { type: 'folder', path: hub };
    for (const entry of subfolders(hub)) {
      if (!entry.startsWith('models--')) continue;
      const repo = join(hub, entry);
      yield { type: 'folder', path: repo };
      const path = currentSnapshot(repo);
      if (path === null) continue;
      yield { type: 'folder', path };
      const name = entry.slice('models--'.length).replace('--', '/');
      yield* this.#model({ path, name }, false, (read, names) => asSnapshot(read, names, repo));
    }
  }

  *#manifests(path: string, depth: number): Generator<ScanLine> {
    yield { type: 'folder', path };
    if (depth === 0) return;
    for (const name of subfolders(path)) yield* this.#manifests(join(path, name), depth - 1);
  }

  /** Returns whether there is a model, complete or broken. A complete one that the host knows is not read again. */
  *#model(
    { path, name }: Named,
    small = false,
    judge = (read: ReadFolder | null, _names: readonly string[]) => read,
  ): Generator<ScanLine, boolean> {
    const names = namesIn(path);
    const stamp = stampOf(path, names);
    const key = keyOf(path, name);
    const isKnown = this.#request.known[key] === stamp;
    const read = isKnown ? null : judge(readModelFolder(path, names, name, small), names);
    if (read === null && !isKnown) return false;
    yield { type: 'entry', entry: { key, stamp, read } };
    return true;
  }
}

/** A folder's name; in requests, `auto` alone and before a colon means something else, so it gets its parent's name too. */
function nameOf(path: string): string {
  const name = basename(path);
  return /^auto(?::|$)/.test(name) ? `${basename(dirname(path))}/${name}` : name;
}

/** `snapshots/<revision>/`: the revision that `refs/main` names, else the newest unless it may be half linked. */
function currentSnapshot(repo: string): string | null {
  const snapshots = join(repo, 'snapshots');
  const revisions = subfolders(snapshots);
  const main = (readText(join(repo, 'refs', 'main'), MAX_REF_BYTES) ?? '').trim();
  if (revisions.includes(main)) return join(snapshots, main);
  if (statOf(join(repo, DOWNLOAD_NOTES)) !== null) return null;
  const age = (revision: string) => -(statOf(join(snapshots, revision))?.mtimeMs ?? 0);
  const [newest] = [...revisions].sort((a, b) => age(a) - age(b));
  return newest === undefined ? null : join(snapshots, newest);
}

/**
 * Many repositories contain only a description or a tokenizer: without weights, a repository is broken only while it is
 * being downloaded.
 */
function asSnapshot(read: ReadFolder | null, names: readonly string[], repo: string): ReadFolder | null {
  if (!read || 'found' in read || names.some(isWeightsFile)) return read;
  const isFetched = namesIn(join(repo, 'blobs')).some((blob) => blob.endsWith('.incomplete'));
  return isFetched ? { broken: { ...read.broken, reason: 'download_unfinished' } } : null;
}

function subfolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort()
      .slice(0, MOST_SUBFOLDERS);
  } catch {
    return [];
  }
}
