import { type OpenFile, withFile } from './regular-file';

/** The largest models have headers of a few MB. A longer one is no model: a Git LFS pointer, for example. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;
const LENGTH_BYTES = 8;
const CHUNK_BYTES = 64 * 1024;
/** Longer than any array's entry as text, so an entry cut at the end of a chunk is found in the next one. */
const OVERLAP = 1024;
/** Offsets of an array. Quotes inside a string are escaped, so no array's name matches. */
const PLACE = /"data_offsets"\s*:\s*\[\s*(\d{1,16})\s*,\s*(\d{1,16})\s*\]/g;
const LAYER = 'layers.';
const ZERO = '0'.charCodeAt(0);

/** A complete weights file. */
export interface Weights {
  sizeBytes: number;
  /** Since the epoch. */
  modifiedMs: number;
  /** The largest single array; it becomes one buffer of the GPU. */
  largestTensorBytes: number;
  /** Numbers of the layers in the names of the arrays. */
  layers: ReadonlySet<number>;
}

/**
 * Reads the header of a safetensors file. The format: 8 bytes of length, a JSON header with the offsets of each array,
 * then the arrays (https://github.com/huggingface/safetensors#format). `onName` receives the name of each array, some of
 * them twice. Null if the file has another format, cannot be read, or is shorter than its header says.
 */
export function readWeights(path: string, onName: ((name: string) => void) | null = null): Weights | null {
  return withFile(path, (file) => {
    const length = Buffer.alloc(LENGTH_BYTES);
    if (file.read(length, 0) < LENGTH_BYTES) return null;
    const headerBytes = Number(length.readBigUInt64LE());
    const dataBytes = file.sizeBytes - LENGTH_BYTES - headerBytes;
    if (headerBytes > MAX_HEADER_BYTES || dataBytes < 0) return null;
    const arrays = findArrays(file, headerBytes, onName);
    if (arrays === null || arrays.end > dataBytes) return null;
    const { sizeBytes, modifiedMs } = file;
    return { sizeBytes, modifiedMs, largestTensorBytes: arrays.largest, layers: arrays.layers };
  });
}

interface Arrays {
  end: number;
  largest: number;
  layers: Set<number>;
}

/** Searches the header in chunks: parsing it whole needs many times its size in memory. Null = no array. */
function findArrays(
  file: OpenFile,
  headerBytes: number,
  onName: ((name: string) => void) | null,
): Arrays | null {
  const arrays: Arrays = { end: -1, largest: 0, layers: new Set() };
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, headerBytes));
  let kept = '';
  for (let done = 0; done < headerBytes; done += CHUNK_BYTES) {
    const part = chunk.subarray(0, Math.min(CHUNK_BYTES, headerBytes - done));
    file.read(part, LENGTH_BYTES + done);
    if (done === 0 && part[0] !== '{'.charCodeAt(0)) return null;
    const text = kept + part.toString('latin1');
    addOffsets(text, arrays, onName);
    addLayers(text, arrays.layers);
    kept = text.slice(-OVERLAP);
  }
  return arrays.end < 0 ? null : arrays;
}

function addOffsets(text: string, arrays: Arrays, onName: ((name: string) => void) | null): void {
  for (const { 1: start, 2: end, index } of text.matchAll(PLACE)) {
    const [from, to] = [Number(start), Number(end)];
    if (to > arrays.end) arrays.end = to;
    if (to - from > arrays.largest) arrays.largest = to - from;
    onName?.(nameIn(text.slice(Math.max(0, index - OVERLAP), index)));
  }
}

/** The numbers in names such as `model.layers.3.mlp.up_proj.weight`. By characters: slices would double the time. */
function addLayers(text: string, layers: Set<number>): void {
  let last = -1;
  for (let at = text.indexOf(LAYER); at >= 0; at = text.indexOf(LAYER, at)) {
    at += LAYER.length;
    let layer = 0;
    let digit = text.charCodeAt(at) - ZERO;
    while (digit >= 0 && digit <= 9) {
      layer = layer * 10 + digit;
      at += 1;
      digit = text.charCodeAt(at) - ZERO;
    }
    // A number at the end of the chunk may go on in the next one.
    if (layer === last || text[at] !== '.') continue;
    layers.add(layer);
    last = layer;
  }
}

/** The last key of an object in a text that ends inside it: `"name": {`. */
function nameIn(text: string): string {
  const end = text.lastIndexOf('"', text.lastIndexOf('{'));
  return text.slice(text.lastIndexOf('"', end - 1) + 1, end);
}
