import type { Category } from '../../../shared/domain';

/** A text prepared once for all rules. */
export interface RuleText {
  /** Beginning and end of the text as written. */
  excerpt: string;
  /** Lower-case words joined by single spaces, with a space before the first and after the last; `ё` is `е`. */
  words: string;
  wordCount: number;
  /** Numbers in the excerpt, digits only. */
  numberCount: number;
  /** Mostly Cyrillic letters. */
  cyrillic: boolean;
}

/** One named decision; its name becomes the reason `rule:<name>`. */
export interface Rule {
  name: string;
  category: Category;
  test(text: RuleText): boolean;
}

const PREFIX = 1500;
const SUFFIX = 700;

/** At most the first 1,500 and the last 700 characters, where requests usually state their task. */
export function excerptOf(text: string): string {
  return text.length <= PREFIX + SUFFIX ? text : `${text.slice(0, PREFIX)}\n${text.slice(-SUFFIX)}`;
}

/** Words of a text: lower case, `ё` as `е`, apostrophes dropped; any character but letters and digits separates. */
export function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replace(/ё/g, 'е')
      .replace(/['’]/g, '')
      .match(/[\p{L}\p{N}+#]+/gu) ?? []
  );
}

export function ruleTextOf(text: string): RuleText {
  const excerpt = excerptOf(text);
  const words = wordsOf(excerpt);
  const cyrillic = (excerpt.match(/[а-яё]/gi) ?? []).length;
  const latin = (excerpt.match(/[a-z]/gi) ?? []).length;
  return {
    excerpt,
    words: ` ${words.join(' ')} `,
    wordCount: words.length,
    numberCount: (excerpt.match(/\d+/g) ?? []).length,
    cyrillic: cyrillic * 2 > latin,
  };
}

/**
 * Compiles lines of comma-separated phrases into one test over `RuleText.words`. A phrase matches whole words; `*`
 * matches any ending (`регулярн* выражен*`), a leading `^` the beginning of the text. Only literals and bounded
 * endings, so matching takes linear time.
 */
export function phrases(...lines: string[]): (text: RuleText) => boolean {
  const escaped = lines
    .flatMap((line) => line.split(', '))
    .map((phrase) => {
      const start = phrase.startsWith('^') ? '^ ' : ' ';
      const body = phrase.replace(/^\^/, '').replace(/[+.]/g, '\\$&').replaceAll('* ', '[^ ]{0,12} ');
      return `${start}${body.endsWith('*') ? body.slice(0, -1) : `${body} `}`;
    });
  const pattern = new RegExp(escaped.join('|'));
  return (text) => pattern.test(text.words);
}
