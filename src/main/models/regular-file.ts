import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

/** Without O_NONBLOCK, opening a FIFO blocks until something writes to it. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Strings are found only so that a constant inside one stays. */
const STRING_OR_CONSTANT = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/** Spaces and line ends before the end of a JSON file fit in. */
const END_BYTES = 64;

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
  return withFile(path, (file) => (file.sizeBytes > maxBytes ? null : textOf(file, 0, file.sizeBytes)));
}

/** The first `maxBytes` of a text; '' if it cannot be read. */
export function readBeginning(path: string, maxBytes: number): string {
  return withFile(path, (file) => textOf(file, 0, Math.min(file.sizeBytes, maxBytes))) ?? '';
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

/**
 * Like `readJson` with the rules of Python's json module, as mlx-lm reads a file: it also accepts `NaN`, `Infinity` and
 * `-Infinity` (here null), and rejects text that is not UTF-8.
 */
export function readPythonJson(path: string, maxBytes: number): unknown {
  const bytes = withFile(path, (file) =>
    file.sizeBytes > maxBytes ? null : bytesOf(file, 0, file.sizeBytes),
  );
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes ?? undefined);
    return JSON.parse(text.replace(STRING_OR_CONSTANT, (found) => (found.startsWith('"') ? found : 'null')));
  } catch {
    return undefined;
  }
}

/** Does a file begin and end like a JSON object? One whose download stopped rarely does. */
export function endsAsObject(path: string): boolean {
  const ends = withFile(path, (file) => [
    textOf(file, 0, END_BYTES),
    textOf(file, Math.max(0, file.sizeBytes - END_BYTES), END_BYTES),
  ]);
  return ends?.[0]?.trimStart().startsWith('{') === true && ends[1]?.trimEnd().endsWith('}') === true;
}

/** Stats of a path, following links; null if nothing is there. */
export function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function textOf(file: OpenFile, offset: number, bytes: number): string {
  return bytesOf(file, offset, bytes).toString('utf8');
}

function bytesOf(file: OpenFile, offset: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  return buffer.subarray(0, file.read(buffer, offset));
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
