import { open } from 'node:fs/promises';

/** A header that claims to be larger belongs to no model, for instance to a text that stands for a large file. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

/**
 * Has a safetensors file all the bytes that its header promises? The format: 8 bytes of length, a JSON header with each
 * array's place, then the arrays without a gap (https://github.com/huggingface/safetensors#format).
 * Rejects when it cannot be read.
 */
export async function isComplete(file: string, sizeBytes: number): Promise<boolean> {
  if (sizeBytes <= LENGTH_BYTES) return false;
  const handle = await open(file);
  try {
    const length = Buffer.alloc(LENGTH_BYTES);
    await handle.read(length, 0, LENGTH_BYTES, 0);
    const headerBytes = Number(length.readBigUInt64LE());
    const dataBytes = sizeBytes - LENGTH_BYTES - headerBytes;
    if (headerBytes > MAX_HEADER_BYTES || dataBytes < 0) return false;
    const header = Buffer.alloc(headerBytes);
    await handle.read(header, 0, headerBytes, LENGTH_BYTES);
    // An array that ends where the file does is found without parsing the many that may be in there.
    return header.includes(`,${dataBytes}]`) || dataBytes >= endOfArrays(header);
  } finally {
    await handle.close();
  }
}

function endOfArrays(header: Buffer): number {
  try {
    const entries: { data_offsets?: [number, number] }[] = Object.values(JSON.parse(header.toString('utf8')));
    return Math.max(0, ...entries.map(({ data_offsets: place }) => place?.[1] ?? 0));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
