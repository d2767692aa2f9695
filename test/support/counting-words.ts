/**
 * The answers of the counting models: their words in order, one token each, for every prompt. So the text itself shows
 * which server wrote it and whether a token is missing or doubled.
 */
export const WORD_COUNT = 20;
/** Length for a quick run. */
export const FEW_WORDS = 12;

const LETTERS = { mlx: 'm', ollama: 'o' } as const;
type Speaker = keyof typeof LETTERS;

/** The whole answer of a model. */
export function wordsOf(speaker: Speaker, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${LETTERS[speaker]}${index}.`);
}

export interface Reading {
  /** Number of whole words. */
  words: number;
  /** Backends whose words it contains. */
  speakers: Speaker[];
  doubled: boolean;
  missing: boolean;
}

/** Parses a text that one backend should have written alone. */
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
