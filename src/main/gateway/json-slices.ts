import type { LoopTurn } from '../ports/turns';
import { JsonReader } from './json-reader';

/** Bytes that become text at a time: text of this length lies outside the collected heap, and values share it. */
const WINDOW = 2 * 1024 * 1024;

/**
 * `JSON.parse` of a body with a turn between slices: the same value, and a `SyntaxError` for the same texts. The number
 * of values in the text must be limited.
 * @param parts the body; emptied
 * @param window bytes that become text at a time, at least 8
 */
export async function parseInSlices(parts: Buffer[], turn: LoopTurn, window = WINDOW): Promise<unknown> {
  const reader = new JsonReader();
  for (const text of textsOf(parts, window)) {
    reader.feed(text);
    while (!reader.advance()) await turn();
    await turn();
  }
  return reader.end();
}

function* textsOf(parts: Buffer[], window: number): Generator<string> {
  let taken: Buffer[] = [];
  let length = 0;
  for (let part = parts.shift(); part; part = parts.shift()) {
    for (let at = 0; at < part.length; at += window) {
      const piece = part.subarray(at, at + window);
      taken.push(piece);
      length += piece.length;
      if (length < window) continue;
      const bytes = Buffer.concat(taken);
      const cut = lastCharacter(bytes);
      yield bytes.toString('utf8', 0, cut);
      taken = [bytes.subarray(cut)];
      length = bytes.length - cut;
    }
  }
  yield Buffer.concat(taken).toString();
}

/** Index of the last character if it has several bytes and may be incomplete; else the end. */
function lastCharacter(bytes: Buffer): number {
  for (let at = bytes.length - 1; at >= bytes.length - 3; at -= 1) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0xc0) return at;
    if (byte < 0x80) break;
  }
  return bytes.length;
}
