import type { BackendId } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { Download } from '../../../shared/models';
import { Emitter } from '../../ports/emitter';
import { type DownloadFile, type StoredDownload, toStored } from './download-file';
import { type DownloadKey, downloadKey, isEnded, type ListedDownload, newDownload } from './listed-download';
import type { DownloadSource } from './source';

/** Downloads that are listed; the oldest ended ones are left out first. */
const MAX_LISTED = 100;

/** The listed downloads, in order, and their copy on disk. */
export class DownloadList {
  readonly #file: DownloadFile;
  readonly #entries = new Map<string, ListedDownload>();
  /** Stored downloads of servers that have no source in this run. */
  #others: readonly StoredDownload[] = [];
  readonly #changed = new Emitter<void>();

  readonly onChange = this.#changed.subscribe;

  constructor(file: DownloadFile) {
    this.#file = file;
  }

  all(): ListedDownload[] {
    return [...this.#entries.values()];
  }

  find(key: DownloadKey): ListedDownload | undefined {
    return this.#entries.get(downloadKey(key));
  }

  /** Throws `not_found`. */
  require(key: DownloadKey): ListedDownload {
    const entry = this.find(key);
    if (!entry) throw new TandemError('not_found', `There is no download of ${key.name}.`);
    return entry;
  }

  /** Reads the unfinished downloads of earlier runs, to be held until their source is ready. Never rejects. */
  async load(sourceOf: (backend: BackendId) => DownloadSource | undefined): Promise<void> {
    const stored = (await this.#file.read()).slice(0, MAX_LISTED);
    this.#others = stored.filter(({ backend }) => !sourceOf(backend));
    for (const one of stored) {
      const source = sourceOf(one.backend);
      if (source && !this.find(one) && isAccepted(source, one)) this.#restore(one);
    }
    this.shown();
  }

  /** Throws `queue_full` if no ended download can make room. */
  add(entry: ListedDownload): void {
    if (this.#entries.size >= MAX_LISTED) {
      const oldest = this.all().find(isEnded);
      if (!oldest) throw new TandemError('queue_full', 'Too many downloads are listed. Remove some first.');
      this.#entries.delete(downloadKey(oldest.download));
    }
    this.#entries.set(downloadKey(entry.download), entry);
  }

  remove({ download }: ListedDownload): void {
    this.#entries.delete(downloadKey(download));
    this.changed();
  }

  /** Another download of that name is dropped. */
  rename(entry: ListedDownload, name: string): void {
    const dropped = this.find({ backend: entry.download.backend, name });
    const entries = this.all().filter((other) => other !== dropped);
    entry.download = { ...entry.download, name };
    this.#entries.clear();
    for (const one of entries) this.#entries.set(downloadKey(one.download), one);
    this.changed();
  }

  set(entry: ListedDownload, change: Partial<Download>): void {
    entry.download = { ...entry.download, ...change, bytesPerSecond: null };
    this.changed();
  }

  /** Call after a change that outlives the app. */
  changed(): void {
    const listed = this.all().flatMap((entry) => toStored(entry) ?? []);
    this.#file.write([...listed, ...this.#others]);
    this.shown();
  }

  /** Call after a change that only shows. */
  shown(): void {
    this.#changed.emit();
  }

  #restore({ insecure, wasInstalled, state, ...shown }: StoredDownload): void {
    const entry = newDownload(shown, { insecure, wasInstalled, held: true });
    const isRemoved = state === 'removing';
    if (isRemoved) entry.next = 'remove';
    Object.assign(entry.download, shown, isRemoved ? { step: 'removing' } : { state });
    this.#entries.set(downloadKey(shown), entry);
  }
}

function isAccepted(source: DownloadSource, { name }: DownloadKey): boolean {
  try {
    source.check(name);
    return true;
  } catch {
    return false;
  }
}
