const setOf = (...lines: string[]) => new Set(lines.flatMap((line) => line.split(' ')));

/** The most frequent English words that hardly exist in other languages: one of them makes a text English. */
export const ENGLISH_WORDS: ReadonlySet<string> = setOf(
  'the and you that are with his they this have from but not what were when why where your there each which',
  'she how their other about out many then them these some would make like into look more write see way',
  'could people my than first been who find down did does get made please tell give list explain',
);

/** Frequent words of other languages that no English text borrows. */
export const OTHER_WORDS: ReadonlySet<string> = setOf(
  'ist und nicht ich du wie mir mich ein eine einen kannst auf für über bitte wir sie',
  'est les pour que qui pas vous tu moi dans avec mon très peux quel quelle',
  'qué cómo para como puedes muy quiero cuál che chi il sono puoi vorrei qual è você um uma não meu são',
  'jest czy się jak nie bir bana mı ve için het een wat ik jij niet kun är jag och att hur vad',
);
