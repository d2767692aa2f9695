import { z } from 'zod';
import { downloadSchema } from '../../../shared/models';
import type { FileStore } from '../../ports/file-store';
import type { Logger } from '../../ports/logger';
import type { ListedDownload } from './listed-download';

/** A download that continues or is shown after a restart of the app. */
const storedSchema = downloadSchema
  .pick({ backend: true, name: true, completedBytes: true, totalBytes: true, error: true })
  .extend({
    state: z.enum(['waiting', 'paused', 'failed', 'removing']),
    insecure: z.boolean(),
    // Unknown = it is deleted only after a question.
    wasInstalled: z.boolean().default(true),
  });
export type StoredDownload = z.infer<typeof storedSchema>;

const fileSchema = z.array(z.unknown());

/** `downloads.json` in the data folder: the downloads that have not ended well. Small, and replaced as a whole. */
export class DownloadFile {
  readonly #files: Pick<FileStore, 'readText' | 'replace'>;
  readonly #path: string;
  readonly #logger: Logger;
  #latest: readonly StoredDownload[] = [];
  #writing: Promise<void> | null = null;

  constructor(options: { files: Pick<FileStore, 'readText' | 'replace'>; path: string; logger: Logger }) {
    this.#files = options.files;
    this.#path = options.path;
    this.#logger = options.logger;
  }

  /** Never rejects: an unreadable file counts as empty, an invalid entry is left out. */
  async read(): Promise<StoredDownload[]> {
    try {
      const text = await this.#files.readText(this.#path);
      if (text === null) return [];
      return fileSchema.parse(JSON.parse(text)).flatMap((entry) => storedSchema.safeParse(entry).data ?? []);
    } catch (error) {
      this.#logger.warn('downloads-not-read', { error });
      return [];
    }
  }

  /** Writes the list; of several changes during a write only the last is written. Never rejects. */
  write(downloads: readonly StoredDownload[]): void {
    this.#latest = downloads;
    this.#writing ??= this.#write();
  }

  /** Resolves when everything is on disk. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    let written: readonly StoredDownload[];
    do {
      // Changes of the same moment are written together.
      await Promise.resolve();
      written = this.#latest;
      try {
        await this.#files.replace(this.#path, JSON.stringify(written));
      } catch (error) {
        this.#logger.warn('downloads-not-written', { error });
      }
    } while (written !== this.#latest);
    this.#writing = null;
  }
}

/** What of a download outlives the app; null = it ended well. */
export function toStored({
  download: { backend, name, state, completedBytes, totalBytes, error },
  insecure,
  wasInstalled,
  next,
}: ListedDownload): StoredDownload | null {
  if (state === 'done') return null;
  const unfinished = state === 'running' ? 'waiting' : state;
  return {
    ...{ backend, name, completedBytes, totalBytes, error, insecure, wasInstalled },
    state: next === 'remove' ? 'removing' : unfinished,
  };
}
