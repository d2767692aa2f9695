/** Texts up to this many characters are counted exactly. */
const COUNTED = 1_024;
/** Length of a sample of a longer text, and the number of samples. */
const SAMPLE = 128;
const SAMPLES = 4;
/** A number, `true`, `false` or `null`. */
const SCALAR_BYTES = 4;

/** UTF-8 bytes of a text; of a long text an estimate from samples, because counting a large body takes long. */
export function roughBytes(text: string): number {
  if (text.length <= COUNTED) return Buffer.byteLength(text);
  const step = Math.floor((text.length - SAMPLE) / (SAMPLES - 1));
  let bytes = 0;
  for (let taken = 0; taken < SAMPLES; taken += 1)
    bytes += Buffer.byteLength(text.slice(taken * step, taken * step + SAMPLE));
  return Math.ceil((bytes / (SAMPLE * SAMPLES)) * text.length);
}

/**
 * Approximate bytes of a value's JSON text: its strings without escapes, its other parts by a typical length. Builds no
 * text. Stops counting beyond `enough`, so that a long value costs no more than a short one.
 */
export function jsonBytes(value: unknown, enough = Number.POSITIVE_INFINITY): number {
  if (typeof value === 'string') return 2 + roughBytes(value);
  if (typeof value === 'number') return String(value).length;
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
