import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { appendFile, mkdir, open, rename, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type EvidenceCode, evidenceIn, OLLAMA_LINES } from '../../supervisor/evidence-lines';

/** A log larger than this is renamed at a start, and trimmed while the server runs. */
const MAX_LOG_BYTES = 5_000_000;
const TAIL_BYTES = 64_000;

/** The log of one run of the server: the part of the file written since its start. */
export class ServerLog {
  readonly file: string;
  #from = 0;
  /** The earlier part of this run is in the `.1` file. */
  #trimmed = false;
  #trimming: Promise<void> | null = null;

  constructor(file: string) {
    this.file = file;
  }

  /**
   * Begins a new run; a large old log is kept as `.1`.
   * @throws NodeJS.ErrnoException when the file cannot be written: no rights, a full disk, a folder in its place
   */
  async begin(at: Date): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
    if (size(this.file) > MAX_LOG_BYTES) await rename(this.file, this.#earlier);
    // Only a written line proves that the server can write its lines.
    await appendFile(this.file, `${at.toISOString()} start\n`, { mode: 0o600 });
    this.#from = size(this.file);
    this.#trimmed = false;
  }

  /**
   * Keeps the log bounded while the server writes to it: copies its end to `.1` and truncates the file in place,
   * because the server has it open. The server opened it for appending, so its next line is written at the beginning; a
   * line written between the two steps is lost.
   * @throws NodeJS.ErrnoException when the file cannot be written
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

  /** Port from the line `Listening on 127.0.0.1:PORT`; null before it is written. */
  port(): number | null {
    const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(read(this.file, this.#from));
    return match ? Number(match[1]) : null;
  }

  /** Kinds of the last lines that explain why the server exited. */
  evidence(): EvidenceCode[] {
    const tail = read(this.file, Math.max(this.#from, size(this.file) - TAIL_BYTES));
    const before = this.#trimmed && tail.length < TAIL_BYTES ? lastWords(this.#earlier) : '';
    return evidenceIn(`${before}${tail}`.split('\n'), OLLAMA_LINES);
  }
}

function lastWords(file: string): string {
  return read(file, Math.max(0, size(file) - TAIL_BYTES));
}

/** Synchronous: at most about 64 kB, and only while a server starts or after it ended. */
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
