/** A sample of a text, and how many are taken of one; in characters. */
const SAMPLE = 64;
const SAMPLES = 8;
/** A number, `true`, `false` or `null`. */
const SCALAR_BYTES = 4;

/** Bytes of a text in UTF-8, of one that is longer than some lines by samples: to count all of a large body takes long. */
export function roughBytes(text: string): number {
  if (text.length <= SAMPLE * SAMPLES) return Buffer.byteLength(text);
  const step = Math.floor((text.length - SAMPLE) / (SAMPLES - 1));
  let sample = '';
  for (let at = 0; sample.length < SAMPLE * SAMPLES; at += step) sample += text.slice(at, at + SAMPLE);
  return Math.ceil((Buffer.byteLength(sample) / sample.length) * text.length);
}

/**
 * Approximate bytes of a value's JSON text: its strings without escapes, its other parts by a typical length. Builds no
 * text. Stops counting beyond `enough`, so that a long value costs no more than a short one.
 */
export function jsonBytes(value: unknown, enough = Number.POSITIVE_INFINITY): number {
  if (typeof value === 'string') return 2 + roughBytes(value);
  if (typeof value !== 'object' || value === null) return SCALAR_BYTES;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) {
      bytes += 1 + jsonBytes(item, enough - bytes);
      if (bytes > enough) break;
    }
    return bytes;
  }
  const fields = value as Record<string, unknown>;
  for (const key in fields) {
    bytes += 4 + roughBytes(key) + jsonBytes(fields[key], enough - bytes);
    if (bytes > enough) break;
  }
  return bytes;
}
