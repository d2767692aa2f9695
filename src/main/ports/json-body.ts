import { jsonBytes } from './json-size';
import { type LoopTurn, nextTurn } from './turns';

/** Approximate bytes of JSON text written between two turns. */
export const PIECE = 256 * 1024;
/** Characters of a string written at once: short texts are dropped while young, which costs the collector nothing. */
const TEXT_SLICE = 32 * 1024;
/** Cost of one part in addition to its bytes. */
const PART_COST = 64;

/**
 * The JSON text of a value, exactly as `JSON.stringify` writes it. A long one comes in pieces, with a turn of the event
 * loop between them; rejects with what `turn` rejects with.
 */
export async function jsonBody(value: object, turn: LoopTurn = nextTurn): Promise<string | Buffer[]> {
  if (!isLong(value)) return JSON.stringify(value);
  const pieces: Buffer[] = [];
  // Parts are written at once: kept until a piece is full they would grow old, and the collector would move them.
  let piece = Buffer.allocUnsafe(PIECE);
  let at = 0;
  let cost = 0;
  for (const part of partsOfLong(value)) {
    const bytes = Buffer.byteLength(part);
    if (bytes > piece.length - at) {
      pieces.push(piece.subarray(0, at));
      piece = Buffer.allocUnsafe(Math.max(PIECE, bytes));
      at = 0;
    }
    at += piece.write(part, at);
    cost += part === '' ? PIECE : bytes + PART_COST;
    if (cost < PIECE) continue;
    cost = 0;
    await turn();
  }
  pieces.push(piece.subarray(0, at));
  return pieces;
}

function isLong(value: unknown): boolean {
  return jsonBytes(value, PIECE) > PIECE;
}

function* partsOf(value: unknown): Generator<string> {
  if (typeof value === 'string') yield* quoted(value);
  else if (typeof value !== 'object' || value === null || !isLong(value))
    yield JSON.stringify(value) ?? 'null';
  else yield* partsOfLong(value);
}

/** Starts with an empty part, so that the caller can take a turn: listing a value with many fields takes a while. */
function* partsOfLong(value: object): Generator<string> {
  yield '';
  const isList = Array.isArray(value);
  const fields = value as Record<string, unknown>;
  let before = isList ? '[' : '{';
  if (isList) {
    for (const item of value) {
      yield before;
      yield* partsOf(item);
      before = ',';
    }
  } else {
    for (const key in fields) {
      if (fields[key] === undefined) continue;
      yield before;
      yield* quoted(key);
      yield ':';
      yield* partsOf(fields[key]);
      before = ',';
    }
  }
  yield before === '{' ? '{}' : isList ? ']' : '}';
}

/** A string as JSON, in slices that never split a surrogate pair, because each half would be written as an escape. */
function* quoted(text: string): Generator<string> {
  if (text.length <= TEXT_SLICE) {
    yield JSON.stringify(text);
    return;
  }
  yield '"';
  for (let at = 0; at < text.length; ) {
    const end = at + TEXT_SLICE;
    const next = text.codePointAt(end - 1);
    const slice = text.slice(at, next !== undefined && next > 0xffff ? end + 1 : end);
    yield JSON.stringify(slice).slice(1, -1);
    at += slice.length;
  }
  yield '"';
}
