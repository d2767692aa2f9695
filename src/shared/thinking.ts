import type { Answer } from './chat';

/**
 * A model's thinking comes before its answer, between marks that the models themselves write. Thinking from a separate
 * field of a server is stored the same way, so that the text of an answer is complete.
 */
export const THINK = '<think>';
export const THINK_END = '</think>';

/** A line that ends thinking whose opening mark was part of the model's prompt. */
const BARE_END = /^[ \t]*<\/think>[ \t]*$/m;

export interface Thought {
  /** Empty = it did not think. */
  thinking: string;
  /** False while the closing mark is still missing. */
  closed: boolean;
  /** The answer itself. */
  said: string;
}

/** Splits the text of one server. Linear in the text. */
export function splitThinking(text: string): Thought {
  const start = text.trimStart();
  if (start.startsWith(THINK)) {
    const end = start.indexOf(THINK_END);
    if (end === -1) return { thinking: start.slice(THINK.length).trim(), closed: false, said: '' };
    const said = start.slice(end + THINK_END.length).trimStart();
    return { thinking: start.slice(THINK.length, end).trim(), closed: true, said };
  }
  // The opening mark is incomplete.
  if (start !== '' && THINK.startsWith(start)) return { thinking: '', closed: false, said: '' };
  const bare = text.includes(THINK_END) ? BARE_END.exec(text) : null;
  if (bare === null || text.slice(0, bare.index).includes(THINK)) {
    return { thinking: '', closed: true, said: text };
  }
  return {
    thinking: text.slice(0, bare.index).trim(),
    closed: true,
    said: text.slice(bare.index + bare[0].length).trimStart(),
  };
}

/** The text of an answer split by the servers that wrote it, in order; each part but the last ends at a break. */
export function answerParts({ text, meta }: Pick<Answer, 'text' | 'meta'>): string[] {
  const ends = [...meta.breaks.map(({ at }) => at).filter((at) => at <= text.length), text.length];
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

/** The text of an answer without the thinking of its servers. */
export function saidText(answer: Pick<Answer, 'text' | 'meta'>): string {
  return answerParts(answer)
    .map((part) => splitThinking(part).said)
    .join('');
}
