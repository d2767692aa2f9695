/** A link or image at the end that is not closed yet: `[label`, `[label](`, `[label](https://exa`. */
const OPEN_LINK = /!?\[([^[\]\n]*)(?:\](?:\([^()\s]*)?)?$/;
/** Emphasis marks whose text has not arrived yet. */
const BARE_MARKS = /(?:^|(?<=\s))[*_~`]{1,3}$/;

/**
 * Closes marks that the end of a growing text leaves open (bold, code, links), so that it renders in its final form and
 * no line jumps when the closing mark arrives. Only the last line is handled: inline marks that span lines are rare,
 * and the rest of the text closes them.
 */
export function mendTail(markdown: string): string {
  const start = markdown.lastIndexOf('\n') + 1;
  const line = markdown.slice(start);
  if (line === '') return markdown;
  let mended = line.replace(BARE_MARKS, '');
  if (count(mended, '`') % 2 === 1)
    return markdown.slice(0, start) + mended + (mended.endsWith('`') ? '' : '`');
  mended = mended.replace(OPEN_LINK, '$1');
  for (const mark of ['**', '~~']) {
    if (count(mended, mark) % 2 === 1) mended = mended.replace(/[*~\s]+$/, '') + mark;
  }
  return markdown.slice(0, start) + mended;
}

function count(text: string, mark: string): number {
  return text.split(mark).length - 1;
}
