import type { Clock } from '../ports/clock';
import { errorCode } from '../ports/file-store';
import type { FolderWatch } from '../ports/folder-watch';
import type { Logger } from '../ports/logger';

/** Quiet time after the last change before it is reported, ms: a model arrives as many files. */
const QUIET_MS = 1_000;
/** A folder that keeps changing, as during a download, is reported at this interval, ms. */
const AT_LEAST_EVERY_MS = 15_000;
/** Without recursive watches each folder uses one system watch; folders beyond this rely on the regular scan. */
const MOST_FOLDERS = 1_000;

export interface ModelWatchOptions {
  watch: FolderWatch;
  /** One watch covers all levels below a folder. */
  recursive: boolean;
  clock: Clock;
  logger: Logger;
}

/**
 * Watches model folders and reports many changes as one. Folders that cannot be watched (missing, not permitted, no
 * watches left, a network volume) are skipped silently: the regular scan covers them.
 */
export class ModelWatch {
  readonly #options: ModelWatchOptions;
  readonly #logger: Logger;
  readonly #watched = new Map<string, () => void>();
  #onChange: (() => void) | null = null;
  #cancel: (() => void) | null = null;
  #firstAt: number | null = null;

  constructor(options: ModelWatchOptions) {
    this.#options = options;
    this.#logger = options.logger.child('model-watch');
  }

  start(onChange: () => void): void {
    this.#onChange = onChange;
  }

  stop(): void {
    this.#onChange = null;
    this.follow([]);
    this.#cancel?.();
    this.#cancel = null;
    this.#firstAt = null;
  }

  /** Watches exactly these folders from now on; with recursive watches only the outermost of them. */
  follow(folders: readonly string[]): void {
    if (this.#onChange === null && folders.length > 0) return;
    const wanted = new Set(this.#options.recursive ? outermost(folders) : folders.slice(0, MOST_FOLDERS));
    for (const [folder, close] of this.#watched) {
      if (wanted.has(folder)) continue;
      close();
      this.#watched.delete(folder);
    }
    for (const folder of wanted) if (!this.#watched.has(folder)) this.#add(folder);
  }

  #add(folder: string): void {
    const { watch, recursive } = this.#options;
    const gone = (error: unknown) => {
      this.#watched.delete(folder);
      if (errorCode(error) !== 'ENOENT') this.#logger.debug('not-watched', { error: String(error) });
    };
    try {
      this.#watched.set(
        folder,
        watch(folder, recursive, () => this.#changed(), gone),
      );
    } catch (error) {
      gone(error);
    }
  }

  #changed(): void {
    const { clock } = this.#options;
    if (this.#onChange === null) return;
    const now = clock.now();
    this.#firstAt ??= now;
    this.#cancel?.();
    const wait = Math.min(QUIET_MS, Math.max(0, this.#firstAt + AT_LEAST_EVERY_MS - now));
    this.#cancel = clock.after(wait, () => {
      this.#cancel = null;
      this.#firstAt = null;
      this.#onChange?.();
    });
  }
}

function outermost(folders: readonly string[]): string[] {
  return folders.filter(
    (folder) => !folders.some((other) => other !== folder && folder.startsWith(`${other}/`)),
  );
}
