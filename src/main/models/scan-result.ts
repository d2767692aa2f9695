import { basename } from 'node:path';
import type { BrokenModel, FoundModel, ReadFolder } from './model-folder';
import type { ScanEntry, ScanLine } from './scan-lines';

export interface ScanResult {
  models: FoundModel[];
  broken: BrokenModel[];
  /** Folders in which something new would show, for whoever watches them; none of a place that did not answer. */
  visited: string[];
}

interface PlaceFound {
  entries: (ScanEntry & { read: ReadFolder })[];
  visited: string[];
}

/** Puts the lines of scans together, place by place: what a scan does not reach stays as an earlier one found it. */
export class ScannedPlaces {
  #places = new Map<string, PlaceFound>();
  /** What the scan under way has found. */
  #next = new Map<string, PlaceFound>();
  #known = new Map<string, ScanEntry & { read: ReadFolder }>();
  /** Made when it is asked for; undefined when something has come since. */
  #result: ScanResult | null | undefined;
  /** The place that is looked at. */
  #current: { path: string; found: PlaceFound } | null = null;

  /**
   * A scan begins, the last one may have been cut off. Returns the stamps of the whole models that are known, by key; a
   * broken one may change in ways that its stamp does not show.
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

  /** Null before anything was found. While a scan goes on, it has the places that are done. */
  result(): ScanResult | null {
    this.#result ??= resultOf([...new Map([...this.#places, ...this.#next]).values()]);
    return this.#result;
  }

  /** The place that is looked at; null before the first. */
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
 * A model found twice is listed once: under one name the first counts (the small model first), and the same files under
 * another name (a folder's own beside `org/name`) become an alias.
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
