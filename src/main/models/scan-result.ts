import { basename } from 'node:path';
import type { ModelOwner } from '../../shared/models';
import type { BrokenModel, FoundModel, ReadFolder } from './model-folder';
import { pathIn, type ScanEntry, type ScanLine } from './scan-lines';

/** Where a model's files are, and who put them there. */
export interface ModelPlace {
  owner: ModelOwner;
  /** The scanned place: a cache, or a folder of models. */
  root: string;
  /** The model's own folder in it. */
  path: string;
}

export type PlacedModel = FoundModel & { place: ModelPlace };
export type PlacedBroken = BrokenModel & { place: ModelPlace };

export interface ScanResult {
  models: PlacedModel[];
  broken: PlacedBroken[];
  /** Folders in which a new model would appear, to be watched; none of a place that did not respond. */
  visited: string[];
  /** Free on the disk of the Hugging Face cache; null = unknown. */
  diskFreeBytes: number | null;
}

interface PlaceFound {
  owner: ModelOwner;
  entries: (ScanEntry & { read: ReadFolder })[];
  visited: string[];
}

/** Merges the lines of scans by place: a place that a scan does not reach keeps the results of an earlier scan. */
export class ScannedPlaces {
  #places = new Map<string, PlaceFound>();
  /** Results of the current scan. */
  #next = new Map<string, PlaceFound>();
  #known = new Map<string, ScanEntry & { read: ReadFolder }>();
  /** Built on demand; undefined = outdated. */
  #result: ScanResult | null | undefined;
  /** The place that is being scanned. */
  #current: { path: string; found: PlaceFound } | null = null;
  #diskFreeBytes: number | null = null;

  /**
   * Begins a scan; the last one may have been cut off. Returns the stamps of the complete models that are known, by
   * key. Broken ones are left out: they may change in ways that their stamp does not show.
   */
  begin(): Record<string, string> {
    this.#places = new Map([...this.#places, ...this.#next]);
    this.#next = new Map();
    this.#current = null;
    this.#result = undefined;
    const entries = [...this.#places.values()].flatMap((place) => place.entries);
    this.#known = new Map(entries.map((entry) => [entry.key, entry]));
    const whole = entries.filter(({ read }) => 'found' in read);
    return Object.fromEntries(whole.map(({ key, stamp }) => [key, stamp]));
  }

  add(line: ScanLine): void {
    switch (line.type) {
      case 'place': {
        this.#commit();
        const known = this.#places.get(line.path)?.entries ?? [];
        const found = { owner: line.owner, entries: line.skipped ? known : [], visited: [] };
        this.#current = { path: line.path, found };
        return;
      }
      case 'folder':
        this.#current?.found.visited.push(line.path);
        return;
      case 'entry':
        this.#addEntry(line.entry);
        return;
      case 'disk':
        this.#diskFreeBytes = line.freeBytes;
        return;
      case 'end':
        this.#commit();
        this.#places = this.#next;
        this.#result = undefined;
    }
  }

  /** Null before anything was found. During a scan it contains the places that are done. */
  result(): ScanResult | null {
    this.#result ??= resultOf(new Map([...this.#places, ...this.#next]), this.#diskFreeBytes);
    return this.#result;
  }

  /** The place that is being scanned; null before the first. */
  current(): string | null {
    return this.#current?.path ?? null;
  }

  #commit(): void {
    if (this.#current) this.#next.set(this.#current.path, this.#current.found);
    this.#result = undefined;
  }

  #addEntry({ key, stamp, read }: ScanEntry): void {
    const known = read ?? this.#known.get(key)?.read;
    if (known) this.#current?.found.entries.push({ key, stamp, read: known });
  }
}

function resultOf(places: ReadonlyMap<string, PlaceFound>, diskFreeBytes: number | null): ScanResult | null {
  if (places.size === 0) return null;
  const reads = [...places].flatMap(([root, { owner, entries }]) =>
    entries.map(({ key, read }) => ({ read, place: { owner, root, path: pathIn(key) } })),
  );
  const visited = [...places.values()].flatMap((place) => place.visited);
  return { ...listOnce(reads), visited, diskFreeBytes };
}

/**
 * Lists a model found twice once: under one name the first counts (the small model first), and the same files under
 * another name (a folder's own name and `org/name`) become an alias.
 */
function listOnce(
  reads: readonly { read: ReadFolder; place: ModelPlace }[],
): Pick<ScanResult, 'models' | 'broken'> {
  const names = new Set<string>();
  const byFiles = new Map<string, PlacedModel>();
  for (const { read, place } of reads) {
    if (!('found' in read)) continue;
    const { info } = read.found;
    if (names.has(info.name)) continue;
    names.add(info.name);
    const files = `${basename(info.name).toLowerCase()} ${info.sizeBytes}`;
    const twin = byFiles.get(files);
    if (twin) twin.info.aliases = [...(twin.info.aliases ?? []), info.name];
    else byFiles.set(files, { ...read.found, info: { ...info }, place });
  }
  const broken = new Map<string, PlacedBroken>();
  for (const { read, place } of reads) {
    if (!('broken' in read) || names.has(read.broken.name) || broken.has(read.broken.name)) continue;
    broken.set(read.broken.name, { ...read.broken, place });
  }
  return { models: [...byFiles.values()], broken: [...broken.values()] };
}
