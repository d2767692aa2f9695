import { type OpenFile, withFile } from './regular-file';

/** The largest models have headers of a few MB. A longer one is no model: a Git LFS pointer, for example. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
const LENGTH_BYTES = 8;
const CHUNK_BYTES = 64 * 1024;
/** Longer than any array's entry as text, so an entry cut at the end of a chunk is found in the next one. */
const OVERLAP = 1024;
const OFFSETS = '"data_offsets"';
/** Offsets of an array. Quotes inside a string are escaped, so no array's name matches. */
const PLACE = /"data_offsets"\s*:\s*\[\s*(\d{1,16})\s*,\s*(\d{1,16})\s*\]/y;

/** A complete weights file. */
export interface Weights {
  sizeBytes: number;
  /** Since the epoch. */
  modifiedMs: number;
  /** The largest single array; it becomes one buffer of the GPU. */
  largestTensorBytes: number;
}

/**
 * Reads the header of a safetensors file. The format: 8 bytes of length, a JSON header with the offsets of each array,
 * then the arrays (https://github.com/huggingface/safetensors#format). `onName` receives the name of each array, some of
 * them twice. Null if the file has another format, cannot be read, or is shorter than its header says.
 */
export function readWeights(path: string, onName: (name: string) => void): Weights | null {
  return withFile(path, (file) => {
    const length = Buffer.alloc(LENGTH_BYTES);
    if (file.read(length, 0) < LENGTH_BYTES) return null;
    const headerBytes = Number(length.readBigUInt64LE());
    const dataBytes = file.sizeBytes - LENGTH_BYTES - headerBytes;
    if (headerBytes > MAX_HEADER_BYTES || dataBytes < 0) return null;
    const arrays = findArrays(file, headerBytes, onName);
    if (arrays === null || arrays.end > dataBytes) return null;
    const { sizeBytes, modifiedMs } = file;
    return { sizeBytes, modifiedMs, largestTensorBytes: arrays.largest };
  });
}

/** Searches the header in chunks: parsing it whole needs many times its size in memory. Null = no array. */
function findArrays(
  file: OpenFile,
  headerBytes: number,
  onName: (name: string) => void,
): { end: number; largest: number } | null {
  const arrays = { end: -1, largest: 0 };
  let kept = '';
  for (let done = 0; done < headerBytes; done += CHUNK_BYTES) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, headerBytes - done));
    file.read(chunk, LENGTH_BYTES + done);
    if (done === 0 && chunk[0] !== '{'.charCodeAt(0)) return null;
    const text = kept + chunk.toString('latin1');
    for (let at = text.indexOf(OFFSETS); at >= 0; at = text.indexOf(OFFSETS, at + 1)) {
      PLACE.lastIndex = at;
      const place = PLACE.exec(text);
      if (place === null) continue;
      const [from, to] = [Number(place[1]), Number(place[2])];
      if (to > arrays.end) arrays.end = to;
      if (to - from > arrays.largest) arrays.largest = to - from;
      onName(nameBefore(text, at));
    }
    kept = text.slice(-OVERLAP);
  }
  return arrays.end < 0 ? null : arrays;
}

/** The key of the object that contains this position: `"name": {`. */
function nameBefore(text: string, at: number): string {
  const end = text.lastIndexOf('"', text.lastIndexOf('{', at));
  return text.slice(text.lastIndexOf('"', end - 1) + 1, end);
}
