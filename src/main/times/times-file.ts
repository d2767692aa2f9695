import { z } from 'zod';
import type { Clock } from '../ports/clock';
import type { FileStore } from '../ports/file-store';
import type { Logger } from '../ports/logger';
import type { MeasuredTimes } from './measured-times';

/** Version of the file format; a file with a higher version was written by a newer Tandem and is not changed. */
const VERSION = 1;
/** Shortest time between two writes, ms. */
const WRITE_EVERY_MS = 5_000;

const values = z.array(z.number().min(0));
const fileSchema = z.object({
  version: z.number().int().min(1),
  models: z.record(
    z.string(),
    z.object({
      fingerprint: z.string().nullable(),
      load: values,
      per1k: values,
      prefillPer1k: values,
      slowestStepMs: z.number().min(0).nullable(),
    }),
  ),
});

export interface TimesFileOptions {
  path: string;
  measured: MeasuredTimes;
  files: FileStore;
  clock: Clock;
  logger: Logger;
}

/**
 * Stores the measured times across restarts. Losing them only makes estimates worse, so no failure here reaches a
 * caller: it is logged once, and the app continues with what it has in memory.
 */
export class TimesFile {
  readonly #options: TimesFileOptions;
  readonly #logger: Logger;
  #unsubscribe = () => {};
  #cancelWrite: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(options: TimesFileOptions) {
    this.#options = options;
    this.#logger = options.logger.child('times');
  }

  /** Reads the stored measurements, then writes each change. Never rejects. */
  async open(): Promise<void> {
    if (!(await this.#load())) return;
    this.#unsubscribe = this.#options.measured.onChange(() => {
      this.#cancelWrite ??= this.#options.clock.after(WRITE_EVERY_MS, () => this.#write());
    });
  }

  /** Writes what is not on disk yet. Never rejects. */
  async close(): Promise<void> {
    this.#unsubscribe();
    if (this.#cancelWrite) {
      this.#cancelWrite();
      this.#write();
    }
    await this.#writing;
  }

  /** False when the file must not be written. */
  async #load(): Promise<boolean> {
    const { files, path, measured } = this.#options;
    try {
      const text = await files.readText(path);
      if (text === null) return true;
      const parsed = parse(text);
      if (!parsed) return await this.#setAside();
      if (parsed.version > VERSION) return false;
      measured.restore(parsed.models);
      return true;
    } catch (error) {
      this.#logger.warn('times-not-read', { error });
      return false;
    }
  }

  async #setAside(): Promise<boolean> {
    const { files, path, clock } = this.#options;
    const stamp = clock.wall().toISOString().replaceAll(':', '-');
    const aside = path.replace(/\.json$/, `.corrupt-${stamp}.json`);
    await files.rename(path, aside);
    this.#logger.warn('times-corrupt', { kept: aside });
    return true;
  }

  #write(): void {
    const { files, path, measured } = this.#options;
    this.#cancelWrite = null;
    // One write after the other, or an older text could replace a newer one.
    this.#writing = this.#writing
      .then(() => files.replace(path, `${JSON.stringify({ version: VERSION, models: measured.save() })}\n`))
      .then(
        () => {
          this.#failed = false;
        },
        (error) => {
          if (!this.#failed) this.#logger.warn('times-not-written', { error });
          this.#failed = true;
        },
      );
  }
}

function parse(text: string): z.infer<typeof fileSchema> | null {
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
