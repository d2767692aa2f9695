import { detectAll } from 'tinyld/light';
import { ENGLISH_WORDS, OTHER_WORDS } from './rules/frequent-words';
import { wordsOf } from './rules/rule';

/** Characters of a text that are read, however long it is. */
const EXCERPT = 500;

/** Scripts other than Latin, each with the language of most texts in it. */
const SCRIPTS: readonly [script: RegExp, language: string][] = [
  [/\p{Script=Cyrillic}/gu, 'ru'],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, 'ja'],
  [/\p{Script=Han}/gu, 'zh'],
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Arabic}/gu, 'ar'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Greek}/gu, 'el'],
  [/\p{Script=Devanagari}/gu, 'hi'],
  [/\p{Script=Thai}/gu, 'th'],
  [/\p{Script=Georgian}/gu, 'ka'],
  [/\p{Script=Armenian}/gu, 'hy'],
];

/** A Latin text with fewer words does not show its language. */
const MIN_EVIDENCE = 3;
/** Least lead over English in probability (0–1) of another language without one of its frequent words. */
const MARGIN = 0.1;

/**
 * The language of a text as a code (ISO 639-1); null for a text without letters. Judged by the script, and by words for
 * Latin script. A text counts as English unless it is clearly in another language; names, code and single words count
 * as English. Takes at most about a millisecond.
 */
export function languageOf(text: string): string | null {
  const excerpt = text.slice(0, EXCERPT);
  const latin = lettersOf(excerpt, /\p{Script=Latin}/gu);
  const [letters, language] = SCRIPTS.map(
    ([script, code]) => [lettersOf(excerpt, script), code] as const,
  ).reduce((most, next) => (next[0] > most[0] ? next : most));
  if (letters * 2 > latin) return language === 'ru' && /[іїєґ]/i.test(excerpt) ? 'uk' : language;
  return latin === 0 ? null : languageOfLatin(excerpt);
}

function lettersOf(text: string, script: RegExp): number {
  return text.match(script)?.length ?? 0;
}

function languageOfLatin(text: string): string {
  const words = plainWords(text);
  const known = wordsOf(words.join(' '));
  const frequent = known.some((word) => OTHER_WORDS.has(word));
  if (!frequent && known.some((word) => ENGLISH_WORDS.has(word))) return 'en';
  // Names begin with a capital and do not show the language.
  const telling = words.filter((word, index) => index === 0 || word === word.toLowerCase());
  const foreign = telling.filter((word) => /[\u0100-\u024f\u1e00-\u1eff]/.test(word)).length;
  const evidence = telling.length + foreign + (frequent ? 1 : 0) + (/[¿¡]/.test(text) ? 1 : 0);
  if (evidence < MIN_EVIDENCE) return 'en';
  if (telling.some((word) => /[\u1ea0-\u1ef9]/.test(word))) return 'vi';
  const found = detectAll(words.join(' '));
  const accuracyOf = (code: string) => found.find(({ lang }) => lang === code)?.accuracy ?? 0;
  const language = found[0]?.lang ?? 'en';
  return accuracyOf(language) - accuracyOf('en') > (frequent ? 0 : MARGIN) ? language : 'en';
}

/** Words of letters only, without the marks around them; drops paths, numbers and most code. */
function plainWords(text: string): string[] {
  return text
    .split(/\s+/)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''))
    .filter((word) => /^\p{Script=Latin}[\p{Script=Latin}\p{M}'’-]*$/u.test(word));
}
