/**
 * What the models of this benchmark say: their words in order, one token each, whatever is asked. So the text itself
 * tells who has said it and whether a token is missing or came twice.
 */
export const WORD_COUNT = 20;
/** For a quick run. */
export const FEW_WORDS = 12;

const LETTERS = { mlx: 'm', ollama: 'o' } as const;
type Speaker = keyof typeof LETTERS;

/** All that a model says. */
export function wordsOf(speaker: Speaker, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${LETTERS[speaker]}${index}.`);
}

export interface Reading {
  /** Whole words in it. */
  words: number;
  /** Backends heard in it. */
  speakers: Speaker[];
  doubled: boolean;
  missing: boolean;
}

/** Reads a text that one backend should have said alone. */
export function read(text: string): Reading {
  const reading: Reading = { words: 0, speakers: [], doubled: false, missing: false };
  for (const piece of text.split('.').slice(0, -1)) {
    const speaker = piece.startsWith('m') ? 'mlx' : 'ollama';
    const index = Number(piece.slice(1));
    if (!reading.speakers.includes(speaker)) reading.speakers.push(speaker);
    if (index < reading.words) reading.doubled = true;
    if (index > reading.words || !Number.isInteger(index)) reading.missing = true;
    reading.words += 1;
  }
  return reading;
}
