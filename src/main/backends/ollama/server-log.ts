import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { appendFile, copyFile, mkdir, rename, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type EvidenceCode, evidenceIn, OLLAMA_LINES } from '../../supervisor/evidence-lines';

/** A log past this size is set aside. */
const MAX_LOG_BYTES = 5_000_000;
const TAIL_BYTES = 64_000;

/** The log of one run of the server: the file's part that was written since. */
export class ServerLog {
  readonly file: string;
  #from = 0;

  constructor(file: string) {
    this.file = file;
  }

  /**
   * Begins a new run; an old log that has grown large is kept as `.1`.
   * @throws NodeJS.ErrnoException when nothing can be written there: no rights, a full disk, a folder in its place
   */
  async begin(at: Date): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
    if (size(this.file) > MAX_LOG_BYTES) await rename(this.file, `${this.file}.1`);
    // Only a line that has been written proves that the server's lines will be.
    await appendFile(this.file, `${at.toISOString()} start\n`, { mode: 0o600 });
    this.#from = size(this.file);
  }

  /** Sets aside what a run that goes on has written, as `.1`, where it has grown large. */
  async bound(): Promise<void> {
    if (size(this.file) <= MAX_LOG_BYTES) return;
    await copyFile(this.file, `${this.file}.1`);
    // The server appends, so that its next line is the first one.
    await truncate(this.file);
    this.#from = 0;
  }

  /** Port from `Listening on 127.0.0.1:PORT`, as soon as it stands there. */
  port(): number | null {
    const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(this.#read(this.#from));
    return match ? Number(match[1]) : null;
  }

  /** Kinds of the lines near the end that say why the server gave up. */
  evidence(): EvidenceCode[] {
    const tail = this.#read(Math.max(this.#from, size(this.file) - TAIL_BYTES));
    return evidenceIn(tail.split('\n'), OLLAMA_LINES);
  }

  /** Synchronous: at most some 64 kB, and only while a server starts or after it ended. */
  #read(from: number): string {
    try {
      const fd = openSync(this.file, 'r');
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
}

function size(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
