import { type StreamParser, StringStream } from '@codemirror/streamparser';

/** Kind of a token, as the style sheet colours it; null = plain. */
export interface Token {
  text: string;
  kind: TokenKind | null;
}
export type TokenKind =
  | 'keyword'
  | 'string'
  | 'comment'
  | 'number'
  | 'name'
  | 'type'
  | 'inserted'
  | 'deleted';

/** Lines per rendered piece: when a long listing grows, only its last piece re-renders. */
const PIECE_LINES = 40;
/** Lines that are coloured; later lines stay plain, so that opening a long listing causes no long task. */
const MOST_LINES = 2_000;
/** A line longer than this is data, not code, and stays plain. */
const LONGEST_LINE = 1_000;
const TAB = 4;

export type Mode = StreamParser<unknown>;

export interface Piece {
  text: string;
  tokens: readonly Token[];
}

interface HeldPiece extends Piece {
  /** The mode's state after the piece. */
  after: unknown;
}

/** Token kind by the first word of the mode's tag; other tags leave the text plain. */
const KINDS = new Map<string, TokenKind>([
  ['keyword', 'keyword'],
  ['operatorKeyword', 'keyword'],
  ['controlKeyword', 'keyword'],
  ['modifier', 'keyword'],
  ['self', 'keyword'],
  ['meta', 'keyword'],
  ['atom', 'number'],
  ['bool', 'number'],
  ['null', 'number'],
  ['number', 'number'],
  ['unit', 'number'],
  ['string', 'string'],
  ['regexp', 'string'],
  ['escape', 'string'],
  ['character', 'string'],
  ['comment', 'comment'],
  ['def', 'name'],
  ['builtin', 'name'],
  ['propertyName', 'name'],
  ['attributeName', 'name'],
  ['heading', 'name'],
  ['typeName', 'type'],
  ['type', 'type'],
  ['className', 'type'],
  ['namespace', 'type'],
  ['tagName', 'type'],
  ['labelName', 'type'],
  ['inserted', 'inserted'],
  ['deleted', 'deleted'],
]);

/** Colours one listing while it grows: each piece is tokenized once, only the last one again when it grows. */
export class Highlighter {
  readonly #mode: Mode | null;
  #pieces: HeldPiece[] = [];

  /** Null splits the text without colouring it. */
  constructor(mode: Mode | null) {
    this.#mode = mode;
  }

  /** The pieces of the listing; unchanged pieces are the same objects as before. */
  pieces(code: string): readonly Piece[] {
    const lines = code.split('\n');
    const next: HeldPiece[] = [];
    let same = true;
    for (let start = 0; start < lines.length; start += PIECE_LINES) {
      const text = lines.slice(start, start + PIECE_LINES).join('\n');
      const held = this.#pieces[next.length];
      same = same && held?.text === text;
      if (same && held) next.push(held);
      else next.push(this.#read(text, next.at(-1)?.after, start));
    }
    this.#pieces = next;
    return next;
  }

  #read(text: string, before: unknown, start: number): HeldPiece {
    const mode = this.#mode;
    const plain = { text, tokens: [{ text, kind: null }], after: before };
    if (mode === null || start >= MOST_LINES) return plain;
    try {
      const state = before === undefined ? mode.startState?.(TAB) : copyState(mode, before);
      const tokens: Token[] = [];
      for (const [index, line] of text.split('\n').entries()) {
        if (index > 0) add(tokens, '\n', null);
        readLine(mode, line, state, tokens);
      }
      return { text, tokens, after: state };
    } catch {
      // Colour is optional: a mode that fails on a text must not remove the text.
      return plain;
    }
  }
}

function readLine(mode: Mode, line: string, state: unknown, tokens: Token[]): void {
  if (line === '') mode.blankLine?.(state, TAB);
  if (line.length > LONGEST_LINE) {
    add(tokens, line, null);
    return;
  }
  const stream = new StringStream(line, TAB, TAB);
  // A mode may return without consuming, to change its state; one that does so forever is broken.
  for (let idle = 0; !stream.eol(); ) {
    stream.start = stream.pos;
    const tag = mode.token(stream, state);
    idle = stream.pos > stream.start ? 0 : idle + 1;
    if (idle > 10) throw new Error('the mode does not advance');
    if (idle === 0) add(tokens, line.slice(stream.start, stream.pos), kindOf(tag));
  }
}

function add(tokens: Token[], text: string, kind: TokenKind | null): void {
  const last = tokens.at(-1);
  if (last && (last.kind === kind || text.trim() === '')) last.text += text;
  else tokens.push({ text, kind });
}

function kindOf(tag: string | null): TokenKind | null {
  const [word = '', ...modifiers] = (tag ?? '').split(' ', 1)[0]?.split('.') ?? [];
  if (modifiers.includes('definition') || modifiers.includes('function')) return 'name';
  return KINDS.get(word) ?? null;
}

function copyState(mode: Mode, state: unknown): unknown {
  if (mode.copyState) return mode.copyState(state);
  if (typeof state !== 'object' || state === null) return state;
  return Object.fromEntries(
    Object.entries(state).map(([key, value]) => [key, Array.isArray(value) ? [...value] : value]),
  );
}
