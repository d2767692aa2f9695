import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../ports/logger';
import type { ProcessTable } from '../ports/spawner';

/** The set-up scripts use the same names (resources/setup/lib/runtime-marks.js). */
const MARK = /^\.in-use-\d+\.json$/;
const markSchema = z.object({ pid: z.number().int(), startedAt: z.string(), paths: z.array(z.string()) });

export interface RuntimeMarksOptions {
  runtimeDir: string;
  table: Pick<ProcessTable, 'identify'>;
  /** Our own process. */
  pid: number;
  logger: Logger;
}

/**
 * All instances of Tandem share the folder of runtimes. Each writes a file there that lists the ones it uses, so that
 * no other instance removes them.
 */
export class RuntimeMarks {
  readonly #options: RuntimeMarksOptions;
  readonly #used = new Set<string>();
  #work: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: RuntimeMarksOptions) {
    this.#options = options;
  }

  /**
   * Marks these as in use too. A server may still run from an older runtime, so one stays in use until `forget`.
   * Resolves when the mark is on disk; never rejects.
   */
  use(paths: readonly string[]): Promise<void> {
    const fresh = paths.filter(
      (path) => path.startsWith(`${this.#options.runtimeDir}/`) && !this.#used.has(path),
    );
    for (const path of fresh) this.#used.add(path);
    return fresh.length === 0 ? this.settled() : this.#enqueue();
  }

  /** Marks everything in this folder as no longer in use. Never rejects. */
  forget(folder: string): Promise<void> {
    for (const path of [...this.#used]) if (isUsed(folder, [path])) this.#used.delete(path);
    return this.#enqueue();
  }

  /**
   * Paths that other instances use. Removes unreadable marks and those whose process (pid and start time) has ended.
   */
  async others(): Promise<string[]> {
    const { runtimeDir, pid } = this.#options;
    const names = await readdir(runtimeDir).catch(() => []);
    const paths: string[] = [];
    for (const name of names.filter((entry) => MARK.test(entry) && entry !== fileName(pid))) {
      const file = join(runtimeDir, name);
      const mark = await this.#read(file);
      if (mark) paths.push(...mark.paths);
      else await rm(file, { force: true }).catch(() => {});
    }
    return paths;
  }

  /** Removes our own mark for good. Never rejects. */
  close(): Promise<void> {
    this.#used.clear();
    const done = this.#enqueue();
    this.#closed = true;
    return done;
  }

  /** Resolves when the last change is on disk. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Null for a file that is not a mark, or belongs to an instance that has ended. */
  async #read(file: string): Promise<z.infer<typeof markSchema> | null> {
    try {
      const mark = markSchema.parse(JSON.parse(await readFile(file, 'utf8')));
      const lives = await this.#options.table.identify(mark.pid);
      return lives?.startedAt === mark.startedAt ? mark : null;
    } catch {
      return null;
    }
  }

  #enqueue(): Promise<void> {
    if (this.#closed) return this.settled();
    const { logger } = this.#options;
    const done = this.#work.then(() => this.#write());
    this.#work = done.catch((error) => logger.warn('runtime-mark', { error: String(error) }));
    return this.settled();
  }

  async #write(): Promise<void> {
    const { runtimeDir, table, pid } = this.#options;
    const file = join(runtimeDir, fileName(pid));
    if (this.#used.size === 0) return rm(file, { force: true });
    const self = await table.identify(pid);
    if (!self) return;
    await mkdir(runtimeDir, { recursive: true, mode: 0o700 });
    const half = `${file}.${pid}`;
    await writeFile(half, `${JSON.stringify({ ...self, paths: [...this.#used] })}\n`, { mode: 0o600 });
    await rename(half, file);
  }
}

/** Is one of these paths the folder itself, or inside it? */
export function isUsed(folder: string, paths: readonly string[]): boolean {
  return paths.some((path) => path === folder || path.startsWith(`${folder}/`));
}

function fileName(pid: number): string {
  return `.in-use-${pid}.json`;
}
