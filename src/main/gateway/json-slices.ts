import type { Turn } from '../ports/turns';

/** What is read between two turns: bytes, and for each token as much as some bytes take. A few milliseconds. */
export const SLICE = 256 * 1024;
const TOKEN_COST = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
/** Bytes that end a number, `true`, `false` or `null`: blanks and `",:[]{}`. */
const AFTER_WORD = new Uint8Array(256);
for (const byte of [...BLANKS, QUOTE, 0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d]) AFTER_WORD[byte] = 1;

/** What may come next. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

/** A list or an object that has not ended yet. */
interface Open {
  list: unknown[] | null;
  fields: Record<string, unknown>;
  key: string;
}

/**
 * `JSON.parse(bytes.toString())` with a turn between slices: the same value, and an error for the same texts. For a text
 * whose number of values is bounded.
 */
export async function parseInSlices(bytes: Buffer, turn: Turn): Promise<unknown> {
  const reader = new Reader(bytes);
  while (!reader.advance()) await turn();
  return reader.value;
}

class Reader {
  readonly #bytes: Buffer;
  readonly #open: Open[] = [];
  #at = 0;
  #expected: Expected = 'value';
  /** What has been read of a string; null outside of one. */
  #pieces: string[] | null = null;
  value: unknown;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Reads one slice. Returns whether it was the last one; throws for a text that is not JSON. */
  advance(): boolean {
    for (let cost = 0; cost < SLICE; cost += TOKEN_COST) {
      if (this.#at >= this.#bytes.length) {
        if (this.#expected !== 'nothing' || this.#pieces) throw unexpected();
        return true;
      }
      const from = this.#at;
      if (this.#pieces) this.#piece(this.#pieces);
      else this.#token();
      cost += this.#at - from;
    }
    return false;
  }

  #token(): void {
    const byte = this.#bytes[this.#at] as number;
    if (BLANKS.has(byte)) this.#skipBlanks();
    else if (byte === QUOTE) this.#string();
    else if (byte === 0x2c) this.#comma();
    else if (byte === 0x3a) this.#step('colon', 'value');
    else if (byte === 0x5b) this.#begin({ list: [], fields: {}, key: '' });
    else if (byte === 0x7b) this.#begin({ list: null, fields: {}, key: '' });
    else if (byte === 0x5d || byte === 0x7d) this.#end(byte === 0x5d);
    else this.#word();
  }

  #skipBlanks(): void {
    const limit = Math.min(this.#bytes.length, this.#at + SLICE);
    while (this.#at < limit && BLANKS.has(this.#bytes[this.#at] as number)) this.#at += 1;
  }

  #step(from: Expected, to: Expected): void {
    if (this.#expected !== from) throw unexpected();
    this.#expected = to;
    this.#at += 1;
  }

  #comma(): void {
    this.#step('comma-or-end', this.#open.at(-1)?.list ? 'value' : 'key');
  }

  #begin(open: Open): void {
    this.#put(open.list ?? open.fields);
    this.#open.push(open);
    this.#expected = open.list ? 'value-or-end' : 'key-or-end';
    this.#at += 1;
  }

  #end(isList: boolean): void {
    const open = this.#open.pop();
    const empty: Expected = isList ? 'value-or-end' : 'key-or-end';
    if (!open || (open.list !== null) !== isList) throw unexpected();
    if (this.#expected !== 'comma-or-end' && this.#expected !== empty) throw unexpected();
    this.#expected = this.#open.length > 0 ? 'comma-or-end' : 'nothing';
    this.#at += 1;
  }

  /** A number, `true`, `false` or `null`. */
  #word(): void {
    let end = this.#at;
    while (end < this.#bytes.length && !AFTER_WORD[this.#bytes[end] as number]) end += 1;
    this.#put(JSON.parse(this.#bytes.toString('utf8', this.#at, end)));
    this.#at = end;
  }

  #string(): void {
    if (!['value', 'value-or-end', 'key', 'key-or-end'].includes(this.#expected)) throw unexpected();
    this.#pieces = [];
    this.#at += 1;
    this.#piece(this.#pieces);
  }

  /** The rest of a string, or a slice of it that cuts no escape and no character. */
  #piece(pieces: string[]): void {
    const bytes = this.#bytes;
    const from = this.#at;
    const limit = Math.min(bytes.length, from + SLICE);
    let end = from;
    let plain = true;
    for (let byte = bytes[end]; end < limit && byte !== QUOTE; byte = bytes[end]) {
      if (byte === BACKSLASH) end += bytes[end + 1] === LETTER_U ? 6 : 2;
      else end += 1;
      plain &&= byte !== BACKSLASH && (byte as number) >= 0x20 && (byte as number) < 0x80;
    }
    for (const most = limit + 3; end < most && isContinuation(bytes[end]); ) end += 1;
    pieces.push(
      plain ? bytes.toString('latin1', from, end) : JSON.parse(`"${bytes.toString('utf8', from, end)}"`),
    );
    const ended = bytes[end] === QUOTE;
    this.#at = ended ? end + 1 : end;
    if (!ended) return;
    this.#pieces = null;
    this.#text(pieces.length === 1 ? (pieces[0] as string) : pieces.join(''));
  }

  #text(text: string): void {
    const open = this.#open.at(-1);
    if (open && (this.#expected === 'key' || this.#expected === 'key-or-end')) {
      open.key = text;
      this.#expected = 'colon';
    } else this.#put(text);
  }

  #put(value: unknown): void {
    if (this.#expected !== 'value' && this.#expected !== 'value-or-end') throw unexpected();
    const open = this.#open.at(-1);
    this.#expected = open ? 'comma-or-end' : 'nothing';
    if (!open) this.value = value;
    else if (open.list) open.list.push(value);
    else if (open.key !== '__proto__') open.fields[open.key] = value;
    else
      Object.defineProperty(open.fields, open.key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function unexpected(): SyntaxError {
  return new SyntaxError('the text is not JSON');
}
