import type { Block } from './blocks';

/** `[label]: address "title"` or the beginning of `[^label]: note`, alone in its line. */
const DEFINITION =
  /^ {0,3}\[(?:(?<note>\^[^[\]\s]+)\]:|(?<link>[^^[\]\n][^[\]\n]*)\]:[ \t]+(?:<[^<>\n]*>|\S+)(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*$)/gm;
const LABEL = /\[(\^?[^[\]\n]+)\](?!:)/g;

/** A label, normalized as Markdown compares it. */
function normalLabel(label: string): string {
  return label.trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

/** What a block needs from other blocks; both are strings, so that a block re-renders only when they change. */
export interface References {
  /** Definitions of the labels that the block uses, as Markdown. */
  definitions: string;
  /** Labels that any block uses, one per line; only for a block that defines some. */
  used: string;
}

const NONE: References = { definitions: '', used: '' };

/**
 * Links and footnotes may be defined in a different block than the one that uses them, but each block is parsed
 * separately. Linear in the text, and almost free for a text without definitions.
 */
export function findReferences(blocks: readonly Block[]): References[] {
  const definitions = new Map<string, string>();
  const defining = new Set<Block>();
  for (const block of blocks) {
    if (block.kind !== 'markdown' || !block.text.includes(']:')) continue;
    for (const { 0: line, groups } of block.text.matchAll(DEFINITION)) {
      const label = normalLabel(groups?.note ?? groups?.link ?? '');
      // The text of a footnote stays in its block; a reference only needs a definition to exist.
      if (!definitions.has(label)) definitions.set(label, groups?.note ? `[${groups.note}]: .` : line.trim());
      defining.add(block);
    }
  }
  if (definitions.size === 0) return blocks.map(() => NONE);
  const labels = blocks.map((block) => (block.kind === 'markdown' ? labelsOf(block.text) : []));
  const used = [...new Set(labels.flat())].join('\n');
  return blocks.map((block, index) => ({
    definitions: (labels[index] ?? [])
      .map((label) => definitions.get(label) ?? '')
      .filter(Boolean)
      .join('\n\n'),
    used: defining.has(block) ? used : '',
  }));
}

function labelsOf(text: string): string[] {
  return [...new Set([...text.matchAll(LABEL)].map((match) => normalLabel(match[1] ?? '')))];
}
