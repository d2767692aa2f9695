import { splitThinking, THINK_END } from '../../shared/thinking';

/** Markdown syntax and its replacement in a line of plain text. Applied in order. */
const MARKS: readonly [RegExp, string][] = [
  // Fences, rules, and the line under a table's header.
  [/^[ \t]*(?:`{3,}|~{3,}).*$/gm, ''],
  [/^[ \t]*(?:[-*_][ \t]*){3,}$/gm, ''],
  [/^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/gm, ''],
  // Beginnings of lines: quotation, heading, item.
  [/^[ \t]*(?:>[ \t]?)+/gm, ''],
  [/^[ \t]*#{1,6}[ \t]+/gm, ''],
  [/^[ \t]*[-*+][ \t]+(?:\[[ xX]\][ \t]+)?/gm, ''],
  [/^[ \t]*\||\|[ \t]*$/gm, ''],
  [/[ \t]\|[ \t]/g, ' · '],
  // Links and images keep their text.
  [/!?\[([^[\]\n]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)/g, '$1'],
  [/\\[()[\]]|\$\$/g, ''],
  [/`+/g, ''],
  [/(?<![\w\\])(\*{1,3}|_{1,3}|~~)(?=\S)|(?<=[^\s\\])(\*{1,3}|_{1,3}|~~)(?!\w)/g, ''],
  [/\\([!-/:-@[-`{-~])/g, '$1'],
];

/** The beginning of a message as one line of words, without Markdown syntax and without thinking. */
export function previewLine(text: string): string {
  const said = splitThinking(text.startsWith(THINK_END) ? text.slice(THINK_END.length) : text).said;
  return MARKS.reduce((line, [mark, words]) => line.replace(mark, words), said)
    .replace(/\s+/g, ' ')
    .trim();
}
