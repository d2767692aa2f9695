import { describe, expect, it } from 'vitest';
import { Highlighter } from '../../../../src/renderer/components/markdown/highlight';
import { MODES } from '../../../../src/renderer/components/markdown/modes';

const highlighter = (language: string) => new Highlighter(MODES.get(language) ?? null);
const textOf = (pieces: ReturnType<Highlighter['pieces']>) =>
  pieces.map(({ tokens }) => tokens.map(({ text }) => text).join('')).join('\n');

describe('Highlighter', () => {
  it('recognises keywords, strings, comments and numbers', () => {
    const [piece] = highlighter('python').pieces('def f(x):  # why\n    return "a" + 1');
    const kinds = new Map(piece?.tokens.map(({ text, kind }) => [text.trim(), kind]));
    expect(kinds.get('def')).toBe('keyword');
    expect(kinds.get('"a"')).toBe('string');
    expect(kinds.get('# why')).toBe('comment');
    expect(kinds.get('1')).toBe('number');
  });

  it('loses no character, whatever the language', () => {
    const code = 'a <b> "c\n\n\t# d /* e\n`f` $g \\\n{ [ ( é 漢 \u0000\n'.repeat(30);
    for (const language of MODES.keys()) expect(textOf(highlighter(language).pieces(code))).toBe(code);
  });

  it('carries the open state of a line into the next piece', () => {
    const pieces = highlighter('python').pieces(`"""\n${'words\n'.repeat(60)}"""\nx = 1`);
    expect(pieces[1]?.tokens[0]).toMatchObject({ kind: 'string' });
  });

  it('tokenizes only the last piece again while the listing grows', () => {
    const growing = highlighter('js');
    const code = 'let a = 1;\n'.repeat(100);
    const before = growing.pieces(code);
    const after = growing.pieces(`${code}let b`);
    expect(after.slice(0, -1)).toEqual(before.slice(0, -1));
    for (const [index, piece] of before.slice(0, -1).entries()) expect(after[index]).toBe(piece);
    const fresh = highlighter('js').pieces(`${code}let b`);
    expect(after.map(({ tokens }) => tokens)).toEqual(fresh.map(({ tokens }) => tokens));
  });

  it('stays plain where there is no mode, or the mode fails', () => {
    expect(highlighter('nothing').pieces('x = 1')[0]?.tokens).toEqual([{ text: 'x = 1', kind: null }]);
    const stuck = new Highlighter({ token: () => null });
    expect(stuck.pieces('x')[0]?.tokens).toEqual([{ text: 'x', kind: null }]);
  });
});
