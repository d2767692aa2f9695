import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

/** Without O_NONBLOCK, opening a FIFO blocks until something writes to it. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

export interface OpenFile {
  sizeBytes: number;
  /** Since the epoch. */
  modifiedMs: number;
  /** Fills the buffer from this offset up to the end of the file; returns the number of bytes read. */
  read(into: Buffer, offset: number): number;
}

/**
 * Opens a regular file while `use` runs. Null if it is missing, of another kind (FIFO, device, folder), or cannot be
 * read. Synchronous: only the scan's own process may call it.
 */
export function withFile<T>(path: string, use: (file: OpenFile) => T): T | null {
  let fd: number | null = null;
  try {
    fd = openSync(path, FLAGS);
    const opened = fd;
    const stats = fstatSync(opened);
    if (!stats.isFile()) return null;
    return use({
      sizeBytes: stats.size,
      modifiedMs: stats.mtimeMs,
      read: (into, offset) => fill(opened, into, offset),
    });
  } catch {
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** The whole text of a file of at most `maxBytes`; null if it is longer or cannot be read. */
export function readText(path: string, maxBytes: number): string | null {
  return withFile(path, (file) => (file.sizeBytes > maxBytes ? null : textOf(file, file.sizeBytes)));
}

/** The first `maxBytes` of a text; '' if it cannot be read. */
export function readBeginning(path: string, maxBytes: number): string {
  return withFile(path, (file) => textOf(file, Math.min(file.sizeBytes, maxBytes))) ?? '';
}

/** A JSON file of at most `maxBytes`; undefined if it is missing, longer or invalid. */
export function readJson(path: string, maxBytes: number): unknown {
  const text = readText(path, maxBytes);
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Stats of a path, following links; null if nothing is there. */
export function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function textOf(file: OpenFile, bytes: number): string {
  const buffer = Buffer.alloc(bytes);
  return buffer.toString('utf8', 0, file.read(buffer, 0));
}

/** One read call may return less than requested. */
function fill(fd: number, into: Buffer, offset: number): number {
  let filled = 0;
  while (filled < into.length) {
    const count = readSync(fd, into, filled, into.length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
