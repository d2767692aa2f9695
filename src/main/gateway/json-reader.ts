import { TandemError } from '../../shared/errors';

/** Work between two turns: bytes, plus `TOKEN_COST` bytes for each token. A few milliseconds. */
export const SLICE = 256 * 1024;
const TOKEN_COST = 128;
/** Characters of a string that are read at once, so that copies made for its escapes are dropped while young. */
const TEXT_SLICE = 32 * 1024;
/** Limit for a number or a field's name: each is built in one step, and no client sends longer ones. */
const MAX_WORD = SLICE;
/** Characters after which the end of a string is searched natively; each search costs as much as several. */
const NEAR = 32;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const LETTER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
/** Characters that end a number, `true`, `false` or `null`. */
const AFTER_WORD = new Uint8Array(0x80);
const MARKS = [QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT];
for (const code of [...BLANKS, ...MARKS]) AFTER_WORD[code] = 1;
/** What a text may have only as an escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f]/;

/** The next token that is allowed. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

/** A list or an object that has not ended yet. */
interface Open {
  list: unknown[] | null;
  fields: Record<string, unknown>;
  key: string;
}

/** Reads one JSON text that arrives in pieces, in slices of work. */
export class JsonReader {
  readonly #open: Open[] = [];
  /** The current text, and how much of it has been read. */
  #text = '';
  #at = 0;
  #quote = new NextMark('', '"');
  #backslash = new NextMark('', '\\');
  #expected: Expected = 'value';
  /** Pieces of the current string; null outside a string. */
  #pieces: string[] | null = null;
  #textLength = 0;
  /** Characters read so far of a number, `true`, `false` or `null`; more may follow. */
  #word = '';
  #value: unknown;

  /** Appends this text to the unread rest. */
  feed(text: string): void {
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = 0;
    this.#quote = new NextMark(this.#text, '"');
    this.#backslash = new NextMark(this.#text, '\\');
  }

  /** Reads one slice. True when it needs more text; throws for invalid JSON, or too long a number or field name. */
  advance(): boolean {
    for (let cost = 0; cost < SLICE; cost += TOKEN_COST) {
      const from = this.#at;
      if (from === this.#text.length) return true;
      if (this.#pieces) this.#piece(this.#pieces);
      else this.#token();
      // An incomplete escape.
      if (this.#at === from && this.#pieces) return true;
      cost += this.#at - from;
    }
    return this.#at === this.#text.length;
  }

  /** Call after the last text; returns the value. */
  end(): unknown {
    while (!this.advance());
    this.#endWord();
    if (this.#expected !== 'nothing' || this.#pieces) throw unexpected();
    return this.#value;
  }

  #token(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (!AFTER_WORD[code]) {
      this.#readWord();
      return;
    }
    this.#endWord();
    if (BLANKS.has(code)) this.#skipBlanks();
    else if (code === QUOTE) this.#string();
    else if (code === COMMA) this.#step('comma-or-end', this.#open.at(-1)?.list ? 'value' : 'key');
    else if (code === COLON) this.#step('colon', 'value');
    else if (code === OPEN_LIST) this.#begin({ list: [], fields: {}, key: '' });
    else if (code === OPEN_OBJECT) this.#begin({ list: null, fields: {}, key: '' });
    else this.#end(code === CLOSE_LIST);
  }

  #skipBlanks(): void {
    const limit = this.#at + SLICE;
    while (this.#at < limit && BLANKS.has(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }

  #step(from: Expected, to: Expected): void {
    if (this.#expected !== from) throw unexpected();
    this.#expected = to;
    this.#at += 1;
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

  #readWord(): void {
    const from = this.#at;
    const limit = Math.min(this.#text.length, from + SLICE);
    while (this.#at < limit && !AFTER_WORD[this.#text.charCodeAt(this.#at)]) this.#at += 1;
    this.#word += this.#text.slice(from, this.#at);
    if (this.#word.length > MAX_WORD) throw wordTooLong();
  }

  #endWord(): void {
    if (this.#word === '') return;
    this.#put(JSON.parse(this.#word));
    this.#word = '';
  }

  #string(): void {
    if (this.#expected === 'colon' || this.#expected === 'comma-or-end' || this.#expected === 'nothing')
      throw unexpected();
    this.#at += 1;
    this.#pieces = [];
    this.#textLength = 0;
    this.#piece(this.#pieces);
  }

  /** Reads a slice of a string, up to its end or the end of the current text, without an incomplete escape. */
  #piece(pieces: string[]): void {
    const text = this.#text;
    const from = this.#at;
    let end = from;
    let escaped = false;
    const limit = Math.min(text.length, from + TEXT_SLICE);
    for (let near = from + NEAR; end < limit; ) {
      const code = text.charCodeAt(end);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        const after = end + (text.charCodeAt(end + 1) === LETTER_U ? 6 : 2);
        if (after > text.length) break;
        escaped = true;
        end = after;
        near = end + NEAR;
      } else if (end < near) end += 1;
      else end = Math.min(limit, this.#quote.from(end), this.#backslash.from(end));
    }
    const ended = text.charCodeAt(end) === QUOTE;
    this.#at = ended ? end + 1 : end;
    const isWhole = ended && pieces.length === 0;
    const raw = text.slice(from, end);
    this.#textLength += raw.length;
    if (this.#isKeyExpected() && this.#textLength > MAX_WORD) throw wordTooLong();
    if (!escaped && CONTROL.test(raw)) throw unexpected();
    // Includes the quotes of the text itself, because a part of it needs no copy.
    pieces.push(escaped ? JSON.parse(isWhole ? text.slice(from - 1, end + 1) : `"${raw}"`) : raw);
    if (!ended) return;
    this.#pieces = null;
    this.#putText(isWhole ? (pieces[0] as string) : pieces.join(''));
  }

  #putText(text: string): void {
    const open = this.#open.at(-1);
    if (open && this.#isKeyExpected()) {
      open.key = text;
      this.#expected = 'colon';
    } else this.#put(text);
  }

  #isKeyExpected(): boolean {
    return this.#expected === 'key' || this.#expected === 'key-or-end';
  }

  #put(value: unknown): void {
    if (this.#expected !== 'value' && this.#expected !== 'value-or-end') throw unexpected();
    const open = this.#open.at(-1);
    this.#expected = open ? 'comma-or-end' : 'nothing';
    if (!open) this.#value = value;
    else if (open.list) open.list.push(value);
    else if (open.key !== '__proto__') open.fields[open.key] = value;
    else Object.defineProperty(open.fields, open.key, { ...OWN, value });
  }
}

const OWN = { enumerable: true, configurable: true, writable: true };

/** Finds the next occurrence of a character. Positions must ascend, so that the text is searched only once. */
class NextMark {
  readonly #text: string;
  readonly #mark: string;
  #at = -1;

  constructor(text: string, mark: string) {
    this.#text = text;
    this.#mark = mark;
  }

  /** Infinity if there is no further occurrence. */
  from(position: number): number {
    if (this.#at < position) {
      const found = this.#text.indexOf(this.#mark, position);
      this.#at = found === -1 ? Number.POSITIVE_INFINITY : found;
    }
    return this.#at;
  }
}

function wordTooLong(): TandemError {
  return new TandemError(
    'bad_request',
    `a number or a field name of the request body is longer than ${MAX_WORD / 1024} kB; shorten it`,
  );
}

function unexpected(): SyntaxError {
  return new SyntaxError('the text is not JSON');
}
