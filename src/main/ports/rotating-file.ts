import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { appendFile, rename, rm } from 'node:fs/promises';
import { makePrivateFile } from './private-files';

export interface RotatingFileOptions {
  path: string;
  /** A file past this size is renamed to `.1`, that to `.2` and so on. */
  maxBytes: number;
  /** Number of files in total. */
  files: number;
  /** Called once, at the first failed write; later failures drop their lines silently. */
  onFailure: (error: unknown) => void;
}

/** Pending lines beyond this are dropped: a log must not fill the memory. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Appends to a size-bounded file (0600) without blocking the event loop. Writing never throws, whatever fails. */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #size: number;
  #writing: Promise<void> | null = null;
  #failed = false;

  /** Throws when the file cannot be opened for writing at all. */
  constructor(options: RotatingFileOptions) {
    this.#options = options;
    writeFileSync(options.path, '', { flag: 'a', mode: 0o600 });
    makePrivateFile(options.path);
    this.#size = statSync(options.path).size;
  }

  write(line: string): void {
    if (this.#waitingBytes > MAX_WAITING_BYTES) return;
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#writing ??= this.#drain();
  }

  /** Resolves when all lines are written to the OS. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** For the exit of the process, when nothing asynchronous runs any more. */
  flushSync(): void {
    try {
      const text = this.#take();
      if (text !== '') appendFileSync(this.#options.path, text, { mode: 0o600 });
    } catch (error) {
      this.#fail(error);
    }
  }

  async #drain(): Promise<void> {
    // Lines of one turn of the event loop are written together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const text = this.#take();
      try {
        if (this.#size + Buffer.byteLength(text) > this.#options.maxBytes) await this.#rotate();
        await appendFile(this.#options.path, text, { mode: 0o600 });
        this.#size += Buffer.byteLength(text);
      } catch (error) {
        this.#fail(error);
      }
    }
    // Set in the same step as the last check for pending lines, or a line could stay unwritten.
    this.#writing = null;
  }

  #take(): string {
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#waitingBytes = 0;
    return text;
  }

  async #rotate(): Promise<void> {
    const { path, files } = this.#options;
    await rm(`${path}.${files - 1}`, { force: true });
    for (let number = files - 2; number >= 0; number -= 1) {
      const from = number === 0 ? path : `${path}.${number}`;
      await rename(from, `${path}.${number + 1}`).catch(() => {});
    }
    this.#size = 0;
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.onFailure(error);
  }
}
