import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { appendFile, mkdir, open, rename, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type EvidenceCode, evidenceIn, OLLAMA_LINES } from '../../supervisor/evidence-lines';

/** A log past this size is set aside: at a start, and while the server runs. */
const MAX_LOG_BYTES = 5_000_000;
const TAIL_BYTES = 64_000;

/** The log of one run of the server: the file's part that was written since. */
export class ServerLog {
  readonly file: string;
  #from = 0;
  /** The earlier part of this run stands in the log that was set aside. */
  #trimmed = false;
  #trimming: Promise<void> | null = null;

  constructor(file: string) {
    this.file = file;
  }

  /**
   * Begins a new run; an old log that has grown large is kept as `.1`.
   * @throws NodeJS.ErrnoException when nothing can be written there: no rights, a full disk, a folder in its place
   */
  async begin(at: Date): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
    if (size(this.file) > MAX_LOG_BYTES) await rename(this.file, this.#earlier);
    // Only a line that has been written proves that the server's lines will be.
    await appendFile(this.file, `${at.toISOString()} start\n`, { mode: 0o600 });
    this.#from = size(this.file);
    this.#trimmed = false;
  }

  /**
   * Keeps the log bounded while the server writes to it: its end is kept as `.1`, and the file is emptied in place, as the
   * server holds it open. It was opened for appending, so the next line stands at its beginning; a line that is written
   * between the two is lost.
   * @throws NodeJS.ErrnoException when nothing can be written there
   */
  trim(): Promise<void> {
    this.#trimming ??= this.#trimOnce().finally(() => {
      this.#trimming = null;
    });
    return this.#trimming;
  }

  async #trimOnce(): Promise<void> {
    if (size(this.file) <= MAX_LOG_BYTES) return;
    await writeFile(this.#earlier, await lastBytes(this.file, MAX_LOG_BYTES), { mode: 0o600 });
    await truncate(this.file);
    this.#from = 0;
    this.#trimmed = true;
  }

  get #earlier(): string {
    return `${this.file}.1`;
  }

  /** Port from `Listening on 127.0.0.1:PORT`, as soon as it stands there. */
  port(): number | null {
    const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(read(this.file, this.#from));
    return match ? Number(match[1]) : null;
  }

  /** Kinds of the lines near the end that say why the server gave up. */
  evidence(): EvidenceCode[] {
    const tail = read(this.file, Math.max(this.#from, size(this.file) - TAIL_BYTES));
    const before = this.#trimmed && tail.length < TAIL_BYTES ? lastWords(this.#earlier) : '';
    return evidenceIn(`${before}${tail}`.split('\n'), OLLAMA_LINES);
  }
}

function lastWords(file: string): string {
  return read(file, Math.max(0, size(file) - TAIL_BYTES));
}

/** Synchronous: at most some 64 kB, and only while a server starts or after it ended. */
function read(file: string, from: number): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(TAIL_BYTES);
      return buffer.toString('utf8', 0, readSync(fd, buffer, 0, TAIL_BYTES, from));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

async function lastBytes(file: string, count: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const from = Math.max(0, (await handle.stat()).size - count);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function size(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
