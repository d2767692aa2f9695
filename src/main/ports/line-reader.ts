const LINE_FEED = 0x0a;
const FIRST_BYTES = 4096;

/**
 * Splits bytes that arrive in pieces of any size into lines of UTF-8. Each byte is scanned once, and the buffered part
 * of an unfinished line is bounded.
 */
export class LineReader {
  readonly #limit: number;
  readonly #tooLong: () => Error;
  /** The incomplete line; its first `#length` bytes are used. */
  #begun: Buffer = Buffer.alloc(0);
  #length = 0;

  /**
   * @param limit most bytes of a line
   * @param tooLong the error for a longer line
   */
  constructor(limit: number, tooLong: () => Error) {
    this.#limit = limit;
    this.#tooLong = tooLong;
  }

  /** The lines completed by these bytes, in order, without their line ends. Throws `tooLong()`. */
  *push(bytes: Uint8Array): Generator<string> {
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      const line = bytes.subarray(start, end);
      start = end + 1;
      yield this.#complete(line);
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
  }

  /** The text after the last line end; '' if there is none. */
  rest(): string {
    return this.#complete(new Uint8Array(0));
  }

  #complete(part: Uint8Array): string {
    if (this.#length === 0) {
      if (part.length > this.#limit) throw this.#tooLong();
      return Buffer.from(part.buffer, part.byteOffset, part.length).toString('utf8');
    }
    this.#keep(part);
    const line = this.#begun.toString('utf8', 0, this.#length);
    // A buffer that has grown for one long line is dropped, not kept for short ones.
    this.#begun = Buffer.alloc(0);
    this.#length = 0;
    return line;
  }

  #keep(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#limit) throw this.#tooLong();
    if (length > this.#begun.length) this.#grow(length);
    this.#begun.set(part, this.#length);
    this.#length = length;
  }

  /** At least doubles the buffer, so that each byte is copied twice on average. */
  #grow(length: number): void {
    const grown = Buffer.allocUnsafe(
      Math.min(this.#limit, Math.max(length, 2 * this.#begun.length, FIRST_BYTES)),
    );
    this.#begun.copy(grown, 0, 0, this.#length);
    this.#begun = grown;
  }
}
