import { excerptOf } from './rule';

/** Kinds of evidence that a text contains code, in any language, with the name of the reason. */
export const CODE_SHAPES = { fence: 'code-block', statement: 'code-text', trace: 'stack-trace' } as const;
export type CodeShape = keyof typeof CODE_SHAPES;

/** Every pattern is a fixed sequence without nested repetition, so matching takes linear time. */
const STATEMENTS: readonly RegExp[] = [
  /^\s{0,12}(?:async )?def \w{1,60}\(/m,
  /^\s{0,12}(?:from [\w.]{1,60} )?import [\w{*'"]/m,
  /^\s{0,12}(?:export |async |public |private |static ){0,3}function \w{1,60}\(/m,
  /^\s{0,12}(?:const|let|var) [\w{[][^\n=]{0,60}= /m,
  /^\s{0,12}#include ?[<"]/m,
  /^\s{0,12}(?:public |private |abstract ){0,2}class \w{1,60}[:({ ]{1,2}$/m,
  /\bselect\b[^\n]{1,200}\bfrom\b[^\n]{1,200}\b(?:where|join|group by|order by|limit)\b/i,
  /\)\s{0,3}(?:=>|->)\s{0,3}\{/,
  /<\/(?:div|span|script|html|body|button|p|a|ul|li)>/i,
  /;\s{0,4}\n[^\n]{0,200}[;{}]\s{0,4}\n/,
];
const TRACE = /Traceback \(most recent call last\)|^\s{1,8}at \S{1,120} ?\(\S{1,200}:\d{1,6}(?::\d{1,6})?\)/m;

/** Null when the text does not look like code. */
export function codeShapeOf(text: string): CodeShape | null {
  const excerpt = excerptOf(text);
  if (excerpt.includes('```')) return 'fence';
  if (TRACE.test(excerpt)) return 'trace';
  return STATEMENTS.some((statement) => statement.test(excerpt)) ? 'statement' : null;
}
