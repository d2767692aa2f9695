/**
 * Approximate bytes of a value's JSON text: its strings without escapes, its other parts by a typical length. Builds no
 * text. Stops counting beyond `enough`, so that a long value costs no more than a short one.
 */
export function jsonBytes(value: unknown, enough = Number.POSITIVE_INFINITY): number {
  if (typeof value === 'string') return 2 + (value.length > enough ? value.length : Buffer.byteLength(value));
  if (typeof value !== 'object' || value === null) return SCALAR_BYTES;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) {
      bytes += 1 + jsonBytes(item, enough - bytes);
      if (bytes > enough) break;
    }
    return bytes;
  }
  for (const [key, item] of Object.entries(value)) {
    bytes += 4 + jsonBytes(key, enough - bytes) + jsonBytes(item, enough - bytes);
    if (bytes > enough) break;
  }
  return bytes;
}

/** A number, `true`, `false` or `null`. */
const SCALAR_BYTES = 4;
