import { TandemError } from '../../shared/errors';

/** A conversation of 10,000 messages with tool calls has fewer; a text with more is slow to parse and validate. */
const MAX_VALUES = 100_000;
/** Tool schemas reach about 30 levels. The limit makes recursion over a body safe. */
const MAX_DEPTH = 200;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Bytes that are checked one by one before a native search, since each search has the cost of several bytes. */
const NEAR = 32;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Counts the values and the nesting of a JSON text while its bytes arrive, so that an expensive text is rejected before
 * it is parsed. It does not check the grammar.
 */
export class JsonMeter {
  #values = 0;
  #depth = 0;
  #inString = false;
  /** The next byte is escaped. */
  #escaped = false;

  /** Values so far, without keys of objects. */
  get values(): number {
    return this.#values;
  }

  /** Throws `bad_request` if there are too many values, or they are nested too deep. */
  feed(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#inString) {
        at = this.#skipString(bytes, at);
        continue;
      }
      const byte = bytes[at];
      at += 1;
      if (byte === QUOTE) this.#inString = true;
      else if (byte === COMMA) this.#count();
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#open();
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#depth -= 1;
    }
  }

  #open(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new TandemError('bad_request', `the request body is nested over ${MAX_DEPTH} levels; flatten it`);
    }
    this.#count();
  }

  #count(): void {
    this.#values += 1;
    if (this.#values > MAX_VALUES) {
      throw new TandemError(
        'bad_request',
        `the request body has over ${MAX_VALUES.toLocaleString('en')} values; send fewer messages`,
      );
    }
  }

  /** Most of a large body is text in strings, so the end of a string is searched natively if it is far away. */
  #skipString(bytes: Buffer, from: number): number {
    let at = this.#escaped ? from + 1 : from;
    this.#escaped = false;
    for (let near = at + NEAR; at < bytes.length; ) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#inString = false;
        return at + 1;
      }
      if (byte === BACKSLASH) {
        at += 2;
        near = at + NEAR;
      } else if (at < near) at += 1;
      else {
        const quote = bytes.indexOf(QUOTE, at);
        const end = quote === -1 ? bytes.length : quote;
        at = backslashesBefore(bytes, end, at) % 2 === 1 ? end + 1 : end;
      }
    }
    this.#escaped = at > bytes.length;
    return bytes.length;
  }
}

function backslashesBefore(bytes: Buffer, end: number, start: number): number {
  let at = end;
  while (at > start && bytes[at - 1] === BACKSLASH) at -= 1;
  return end - at;
}
