import { basename, dirname } from 'node:path';
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
 * Watches model folders and reports many changes as one. For a missing folder, its nearest existing ancestor is watched
 * until the next part of its path appears. Folders that cannot be watched (not permitted, no watches left, a network
 * volume) are skipped silently: the regular scan covers them.
 */
export class ModelWatch {
  readonly #options: ModelWatchOptions;
  readonly #logger: Logger;
  readonly #watched = new Map<string, () => void>();
  /** Watches of ancestors, by the missing folder. */
  readonly #awaited = new Map<string, () => void>();
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
    for (const folder of this.#watched.keys()) if (!wanted.has(folder)) this.#close(folder);
    // Those that were missing may exist by now.
    for (const close of this.#awaited.values()) close();
    this.#awaited.clear();
    for (const folder of wanted) if (!this.#watched.has(folder)) this.#add(folder);
  }

  #add(folder: string): void {
    const onChange = (name: string | null) => {
      // Its own name: it was removed, and this watch with it. The next scan watches a new folder of this name.
      if (name === basename(folder)) this.#close(folder);
      this.#changed();
    };
    if (this.#watch(folder, this.#watched, folder, onChange)) return;
    for (let child = folder, parent = dirname(child); parent !== child; parent = dirname(child)) {
      const next = basename(child).normalize();
      const onAppear = (name: string | null) => {
        if (name === null || name.normalize() === next) this.#changed();
      };
      if (this.#watch(parent, this.#awaited, folder, onAppear)) return;
      child = parent;
    }
  }

  #close(folder: string): void {
    this.#watched.get(folder)?.();
    this.#watched.delete(folder);
  }

  /** Watches `path` for the sake of `folder`; false = it does not exist. An ancestor is watched on its own level only. */
  #watch(
    path: string,
    watches: Map<string, () => void>,
    folder: string,
    onChange: (name: string | null) => void,
  ): boolean {
    const { watch, recursive } = this.#options;
    const gone = (error: unknown) => {
      watches.delete(folder);
      if (errorCode(error) !== 'ENOENT') this.#logger.debug('not-watched', { error: String(error) });
    };
    try {
      watches.set(folder, watch(path, recursive && path === folder, onChange, gone));
    } catch (error) {
      gone(error);
      return errorCode(error) !== 'ENOENT';
    }
    return true;
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
