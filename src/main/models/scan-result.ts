import { basename } from 'node:path';
import type { BrokenModel, FoundModel, ReadFolder } from './model-folder';
import type { ScanEntry, ScanLine } from './scan-lines';

export interface ScanResult {
  models: FoundModel[];
  broken: BrokenModel[];
  /** Folders in which a new model would appear, to be watched; none of a place that did not respond. */
  visited: string[];
}

interface PlaceFound {
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
        const found = { entries: line.skipped ? known : [], visited: [] };
        this.#current = { path: line.path, found };
        return;
      }
      case 'folder':
        this.#current?.found.visited.push(line.path);
        return;
      case 'entry':
        this.#addEntry(line.entry);
        return;
      case 'end':
        this.#commit();
        this.#places = this.#next;
        this.#result = undefined;
    }
  }

  /** Null before anything was found. During a scan it contains the places that are done. */
  result(): ScanResult | null {
    this.#result ??= resultOf([...new Map([...this.#places, ...this.#next]).values()]);
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

function resultOf(places: readonly PlaceFound[]): ScanResult | null {
  if (places.length === 0) return null;
  const reads = places.flatMap(({ entries }) => entries.map(({ read }) => read));
  return { ...listOnce(reads), visited: places.flatMap(({ visited }) => visited) };
}

/**
 * Lists a model found twice once: under one name the first counts (the small model first), and the same files under
 * another name (a folder's own name and `org/name`) become an alias.
 */
function listOnce(reads: readonly ReadFolder[]): Pick<ScanResult, 'models' | 'broken'> {
  const names = new Set<string>();
  const byFiles = new Map<string, FoundModel>();
  for (const entry of reads) {
    if (!('found' in entry)) continue;
    const { info } = entry.found;
    if (names.has(info.name)) continue;
    names.add(info.name);
    const files = `${basename(info.name).toLowerCase()} ${info.sizeBytes}`;
    const twin = byFiles.get(files);
    if (twin) twin.info.aliases = [...(twin.info.aliases ?? []), info.name];
    else byFiles.set(files, { ...entry.found, info: { ...info } });
  }
  const broken = new Map<string, BrokenModel>();
  for (const entry of reads) {
    if (!('broken' in entry) || names.has(entry.broken.name) || broken.has(entry.broken.name)) continue;
    broken.set(entry.broken.name, entry.broken);
  }
  return { models: [...byFiles.values()], broken: [...broken.values()] };
}
