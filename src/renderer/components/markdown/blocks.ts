/** A piece of an answer that is parsed and rendered separately. Only the last one of a growing answer changes. */
export type Block =
  | { kind: 'markdown'; text: string }
  | { kind: 'code'; language: string; text: string; closed: boolean };

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
/** A paragraph longer than this, in characters, is cut at the end of a sentence, so that block size stays bounded. */
const LONGEST = 2_000;

/**
 * Splits Markdown at blank lines and fences. An indented line continues the block above it (a list item's second
 * paragraph). Linear in the text. When text is appended, all blocks except the last stay the same.
 */
export function splitBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let blank = false;
  let fence: { indent: number; mark: string; language: string; lines: string[] } | null = null;

  const flush = () => {
    if (lines.length > 0) pushMarkdown(blocks, lines.join('\n'));
    lines = [];
    blank = false;
  };

  for (const line of markdown.split('\n')) {
    if (fence) {
      if (closes(line, fence.mark)) {
        blocks.push({ kind: 'code', language: fence.language, text: fence.lines.join('\n'), closed: true });
        fence = null;
      } else fence.lines.push(dedent(line, fence.indent));
      continue;
    }
    const opening = FENCE.exec(line);
    if (opening) {
      flush();
      const [, indent = '', mark = '', language = ''] = opening;
      fence = { indent: indent.length, mark, language, lines: [] };
    } else if (line.trim() === '') blank = lines.length > 0;
    else {
      const continues = /^(?: {2,}|\t)/.test(line);
      if (blank && !continues) flush();
      else if (blank) lines.push('');
      blank = false;
      lines.push(line);
    }
  }
  flush();
  if (fence)
    blocks.push({ kind: 'code', language: fence.language, text: fence.lines.join('\n'), closed: false });
  return blocks;
}

function closes(line: string, mark: string): boolean {
  const trimmed = line.trim();
  return trimmed.length >= mark.length && trimmed === mark.charAt(0).repeat(trimmed.length);
}

/** Code in a list item is indented like its fence; further indentation belongs to the code. */
function dedent(line: string, indent: number): string {
  const spaces = line.length - line.trimStart().length;
  return line.slice(Math.min(indent, spaces));
}

function pushMarkdown(blocks: Block[], text: string): void {
  let rest = text;
  while (rest.length > LONGEST && !rest.startsWith('|')) {
    const cut = cutPoint(rest);
    blocks.push({ kind: 'markdown', text: rest.slice(0, cut) });
    rest = rest.slice(cut).trimStart();
  }
  if (rest !== '') blocks.push({ kind: 'markdown', text: rest });
}

/** Where to cut: after a line, a sentence or a word, searched backwards from the limit. */
function cutPoint(text: string): number {
  for (const end of ['\n', '. ', ' ']) {
    const at = text.lastIndexOf(end, LONGEST);
    if (at > LONGEST / 2) return at + end.length;
  }
  return LONGEST;
}
