/**
 * Delimiters of formulas for remark-math, which distinguishes spans by their number of dollars: two for an inline
 * formula, three for a block, four for one whose end has not arrived yet.
 */
const DOLLARS = { line: '$$', display: '$$$', open: '$$$$' } as const;
export type FormulaKind = keyof typeof DOLLARS;

/** The kind of formula that this many dollars open. */
export function formulaKind(dollars: number): FormulaKind {
  if (dollars === 2) return 'line';
  return dollars === 3 ? 'display' : 'open';
}

/** Relevant matches: a run of backticks, an escaped character, a run of dollars. */
const MARKS = /`+|\\[\s\S]|\$+/g;
/** `$x$` as commonly written: no space inside, no word or digit after, so that prices stay prices. */
const SINGLE = /\$(?![\s$])([^$\n]*[^$\s\\])\$(?![\w$])/y;
/** Text with spaces is a formula only if it contains a formula sign: `$5, or 5$` is money. */
const LIKE_FORMULA = /^\S+$|[\\^_={}]/;
const END_OF_PARAGRAPH = /\n[ \t>]*\n/;

interface Found {
  kind: FormulaKind | 'literal';
  /** The TeX, or the plain text. */
  text: string;
  /** Offset after it. */
  end: number;
}

/**
 * Rewrites every way in which models mark formulas (`\( \)`, `\[ \]`, `$$ $$`, `$ $`) to the one that is parsed, and
 * escapes marks without a partner, so that they stay text. Code is unchanged. A formula becomes one line: a line that
 * begins with `+` or `=` must not become a list or a heading. `open`: the text is growing, so a formula without an end
 * is still being written. `tail` is the offset after the last formula.
 */
export function mathMarks(markdown: string, open: boolean): { text: string; tail: number } {
  if (!/[\\$]/.test(markdown)) return { text: markdown, tail: 0 };
  let text = '';
  let done = 0;
  let tail = 0;
  MARKS.lastIndex = 0;
  for (let mark = MARKS.exec(markdown); mark !== null; mark = MARKS.exec(markdown)) {
    const at = mark.index;
    const found = mark[0].startsWith('`')
      ? { kind: 'literal' as const, ...skipCode(markdown, at, mark[0]) }
      : findFormula(markdown, at, mark[0], open);
    text += markdown.slice(done, at);
    if (found.kind === 'literal') text += found.text;
    else {
      const fence = DOLLARS[found.kind];
      text += `${fence} ${oneLine(found.text, markdown.slice(markdown.lastIndexOf('\n', at - 1) + 1, at))} ${fence}`;
      tail = text.length;
    }
    done = found.end;
    MARKS.lastIndex = done;
  }
  return { text: text + markdown.slice(done), tail };
}

/** A code span with any content; backticks without a partner are text. */
function skipCode(markdown: string, at: number, ticks: string): { text: string; end: number } {
  const after = at + ticks.length;
  for (let end = markdown.indexOf(ticks, after); end !== -1; ) {
    let stop = end;
    while (markdown[stop] === '`') stop += 1;
    if (stop - end === ticks.length) return { text: markdown.slice(at, stop), end: stop };
    end = markdown.indexOf(ticks, stop);
  }
  return { text: ticks, end: after };
}

function findFormula(markdown: string, at: number, mark: string, open: boolean): Found {
  const literal = (text: string): Found => ({ kind: 'literal', text, end: at + mark.length });
  switch (mark) {
    case '\\(':
      return between(markdown, at, '\\)', 'line', open) ?? literal('\\\\(');
    case '\\[':
      return between(markdown, at, '\\]', 'display', open) ?? literal('\\\\[');
    case '\\)':
    case '\\]':
      return literal(`\\${mark}`);
    case '$$':
      return between(markdown, at, '$$', 'display', open) ?? literal('\\$\\$');
    case '$': {
      SINGLE.lastIndex = at;
      const single = SINGLE.exec(markdown);
      const tex = single?.[1];
      return single &&
        tex !== undefined &&
        LIKE_FORMULA.test(tex) &&
        !/\w$/.test(markdown.slice(0, at).slice(-1))
        ? { kind: 'line', text: tex, end: at + single[0].length }
        : literal('$');
    }
    default:
      return literal(mark.startsWith('$') ? mark.replaceAll('$', '\\$') : mark);
  }
}

/** A formula up to its closing mark; null if this paragraph contains none. */
function between(
  markdown: string,
  at: number,
  close: string,
  kind: FormulaKind,
  open: boolean,
): Found | null {
  const start = at + close.length;
  const end = markdown.indexOf(close, start);
  const text = markdown.slice(start, end === -1 ? markdown.length : end);
  if (text.trim() === '' && !(open && end === -1)) return null;
  if (END_OF_PARAGRAPH.test(text)) return null;
  if (end === -1) return open ? { kind: 'open', text, end: markdown.length } : null;
  return { kind, text, end: end + close.length };
}

/** `before` is the text before the formula in its line: each line of a quotation repeats its mark. */
function oneLine(tex: string, before: string): string {
  const inner = /^\s*>/.test(before) ? tex.replaceAll(/\n[ \t]*>/g, '\n') : tex;
  // A bar would split table cells.
  const whole = /^\s*\|/.test(before) ? inner.replaceAll(/(?<!\\)\|/g, '\\vert ') : inner;
  return whole
    .replaceAll(/(?<!\\)%[^\n]*/g, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
}
