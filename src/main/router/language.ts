import { excerptOf } from './rules/rule';

/** Scripts other than Latin, with the language that most who write in one mean by it. */
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

/** The language of a text as a code (ISO 639-1); null where there is nothing to tell it by. */
export function languageOf(text: string): string | null {
  const excerpt = excerptOf(text);
  const latin = excerpt.match(/\p{Script=Latin}/gu)?.length ?? 0;
  const other = SCRIPTS.map(([script, language]) => ({
    language,
    letters: excerpt.match(script)?.length ?? 0,
  }));
  const most = other.reduce((best, entry) => (entry.letters > best.letters ? entry : best));
  if (most.letters > 0 && most.letters * 2 > latin) return most.language;
  return latin > 0 ? 'en' : null;
}
