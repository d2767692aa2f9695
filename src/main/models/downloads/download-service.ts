import type { BackendId } from '../../../shared/domain';
import { TandemError, toTandemError } from '../../../shared/errors';
import type { Download } from '../../../shared/models';
import type { Clock } from '../../ports/clock';
import { Emitter } from '../../ports/emitter';
import type { Logger } from '../../ports/logger';
import { isSameName } from '../model-names';
import type { DownloadFile } from './download-file';
import { DownloadList } from './download-list';
import { type DownloadKey, isActive, isEnded, type ListedDownload, newDownload } from './listed-download';
import type { DownloadProgress, DownloadSource } from './source';
import { Speed } from './speed';

/** Progress is reported with this delay, and so at most this often, ms. */
const REPORT_MS = 250;

export interface DownloadServiceOptions {
  /** By backend. A backend without a source downloads no models. */
  sources: ReadonlyMap<BackendId, DownloadSource>;
  file: DownloadFile;
  /** Is there a model of this name already? Asked when a download begins. */
  isInstalled(model: DownloadKey): boolean;
  clock: Clock;
  logger: Logger;
}

/**
 * Downloads models: one at a time for each source, the others wait in order. Unfinished ones outlive the app: running
 * ones continue at the next start, paused and failed ones stay listed.
 */
export class DownloadService {
  readonly #options: DownloadServiceOptions;
  readonly #logger: Logger;
  readonly #list: DownloadList;
  readonly #completed = new Emitter<DownloadKey & Pick<ListedDownload, 'wasInstalled'>>();
  readonly #runs = new Set<Promise<void>>();
  /** Cancels the report of progress that is planned; null = none is. */
  #report: (() => void) | null = null;
  #stopped = false;

  readonly onChange: DownloadList['onChange'];
  /** Emits the model of a download that is complete, and whether it was there before. */
  readonly onCompleted = this.#completed.subscribe;

  constructor(options: DownloadServiceOptions) {
    this.#options = options;
    this.#logger = options.logger.child('downloads');
    this.#list = new DownloadList(options.file);
    this.onChange = this.#list.onChange;
  }

  list(): Download[] {
    return this.#list.all().map(({ download }) => download);
  }

  /** Reads the unfinished downloads of earlier runs; they continue once their source is ready. Never rejects. */
  async load(): Promise<void> {
    await this.#list.load((backend) => this.#options.sources.get(backend));
    this.wake();
  }

  /**
   * Starts, continues or retries a download and returns at once; the outcome is in `list()`. Does nothing if it runs or
   * waits already. Throws `bad_model_name`, or `unsupported` for a backend that downloads nothing.
   */
  start({ backend, name }: DownloadKey, insecure = false): void {
    const source = this.#sourceOf(backend);
    source.check(name);
    const known = this.#list.find({ backend, name });
    if (known?.controller) {
      if (known.next !== null) known.next = 'run';
      return;
    }
    const held = source.readiness() === 'coming';
    const wasInstalled =
      known && known.download.state !== 'done'
        ? known.wasInstalled
        : this.#options.isInstalled({ backend, name });
    const entry = known ?? newDownload({ backend, name }, { insecure, wasInstalled, held });
    if (!known) this.#list.add(entry);
    Object.assign(entry, { insecure, wasInstalled, held, next: null });
    this.#list.set(entry, { state: 'waiting', error: null });
    this.#pump();
  }

  /** Keeps what has arrived. Does nothing unless it runs or waits. */
  pause(key: DownloadKey): void {
    const entry = this.#list.require(key);
    if (entry.controller) this.#end(entry, 'pause');
    else if (entry.download.state === 'waiting' && entry.next !== 'remove')
      this.#list.set(entry, { state: 'paused' });
  }

  /** Ends a download and removes it from the list, and from disk what its source can remove. */
  cancel(key: DownloadKey): void {
    const entry = this.#list.require(key);
    if (entry.controller) this.#end(entry, 'remove');
    else if (entry.download.state === 'done') this.#list.remove(entry);
    else void this.#track(this.#discard(entry));
  }

  /** Removes an ended download from the list; does nothing for one that has not ended. */
  dismiss(key: DownloadKey): void {
    const entry = this.#list.require(key);
    if (isEnded(entry)) this.#list.remove(entry);
  }

  /**
   * Call before the model itself is deleted: removes its download from the list, with the files of an unfinished one.
   * Rejects with `busy` while it waits or runs.
   */
  async clear({ backend, name }: DownloadKey): Promise<void> {
    for (const entry of this.#list.all()) {
      if (entry.download.backend !== backend || !isSameName(entry.download.name, name)) continue;
      if (entry.download.state === 'done') this.#list.remove(entry);
      else if (isActive(entry)) {
        throw new TandemError('busy', `${name} is being downloaded. Cancel its download first.`, {
          details: { model: name },
        });
      } else await this.#track(this.#discard(entry));
    }
  }

  /** Call when a source's readiness may have changed: starts what waits for it, also to fail with the reason. */
  wake(): void {
    for (const entry of this.#list.all()) {
      if (entry.held && this.#sourceOf(entry.download.backend).readiness() !== 'coming') entry.held = false;
    }
    this.#pump();
  }

  /** Stops all downloads, to be continued at the next start. Resolves when nothing runs and the list is on disk. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#report?.();
    for (const { controller } of this.#list.all()) controller?.abort(cancelled());
    await Promise.all(this.#runs);
    await this.#options.file.settled();
  }

  #pump(): void {
    if (this.#stopped) return;
    const entries = this.#list.all();
    const busy = new Set(
      entries.filter(({ controller }) => controller).map(({ download }) => download.backend),
    );
    for (const entry of entries) {
      const { state, backend } = entry.download;
      if (state !== 'waiting' || entry.held || busy.has(backend)) continue;
      busy.add(backend);
      void this.#track(entry.next === 'remove' ? this.#discard(entry) : this.#run(entry));
    }
  }

  async #run(entry: ListedDownload): Promise<void> {
    const { backend, name } = entry.download;
    const controller = new AbortController();
    Object.assign(entry, { controller, next: null, speed: new Speed() });
    this.#list.set(entry, { state: 'running', step: 'starting', error: null });
    let failure: TandemError | null = null;
    try {
      await this.#sourceOf(backend).pull(
        name,
        { insecure: entry.insecure, onName: (own) => this.#onName(entry, own) },
        (progress) => this.#progress(entry, progress),
        controller.signal,
      );
    } catch (error) {
      failure = toTandemError(error, 'pull_failed');
    }
    entry.controller = null;
    await this.#settle(entry, failure);
  }

  async #settle(entry: ListedDownload, failure: TandemError | null): Promise<void> {
    if (failure === null) {
      this.#list.set(entry, { state: 'done' });
      const { backend, name } = entry.download;
      this.#completed.emit({ backend, name, wasInstalled: entry.wasInstalled });
    } else if (entry.next === 'remove') {
      await this.#discard(entry);
    } else if (entry.next === 'pause') {
      this.#list.set(entry, { state: 'paused' });
    } else if (entry.next === 'run') {
      this.#list.set(entry, { state: 'waiting' });
    } else if (!this.#stopped) {
      const { code, message, details } = failure;
      this.#logger.warn('download-failed', { name: entry.download.name, code });
      this.#list.set(entry, { state: 'failed', error: { code, message, details } });
    }
    this.#pump();
  }

  /** Continues under the source's own name, under which its files are found again. */
  #onName(entry: ListedDownload, name: string): void {
    const { backend } = entry.download;
    if (name === entry.download.name) return;
    entry.wasInstalled ||= this.#options.isInstalled({ backend, name });
    this.#list.rename(entry, name);
  }

  #progress(entry: ListedDownload, progress: DownloadProgress): void {
    const now = this.#options.clock.now();
    const bytesPerSecond = entry.speed.add(now, progress.completedBytes);
    entry.download = { ...entry.download, ...progress, bytesPerSecond };
    // Also the last figures before a pause of the source are reported.
    this.#report ??= this.#options.clock.after(REPORT_MS, () => {
      this.#report = null;
      this.#list.shown();
    });
  }

  /** Removes the files of a download that does not run, then the download itself, unless it was started again. */
  async #discard(entry: ListedDownload): Promise<void> {
    const { backend, name } = entry.download;
    // The controller keeps the source busy meanwhile.
    Object.assign(entry, { controller: new AbortController(), next: 'remove' });
    this.#list.set(entry, { state: 'running', step: 'removing' });
    try {
      await this.#sourceOf(backend).discard?.(name);
    } catch (error) {
      this.#logger.warn('download-not-removed', { name, error });
    }
    entry.controller = null;
    if ((entry.next as ListedDownload['next']) === 'run')
      this.#list.set(entry, { state: 'waiting', completedBytes: 0 });
    else this.#list.remove(entry);
    this.#pump();
  }

  #end(entry: ListedDownload, next: 'pause' | 'remove'): void {
    if (entry.download.step === 'removing') return;
    entry.next = next;
    this.#list.changed();
    entry.controller?.abort(cancelled());
  }

  #track(run: Promise<void>): Promise<void> {
    this.#runs.add(run);
    return run.finally(() => this.#runs.delete(run));
  }

  #sourceOf(backend: BackendId): DownloadSource {
    const source = this.#options.sources.get(backend);
    if (!source) throw new TandemError('unsupported', 'No models can be downloaded to this server.');
    return source;
  }
}

function cancelled(): TandemError {
  return new TandemError('cancelled', 'The download was stopped.');
}
