import { excerptOf, wordsOf } from './rules/rule';
import {
  SMALL_TALK_ENGLISH,
  SMALL_TALK_FILLERS,
  SMALL_TALK_RUSSIAN,
  SOCIAL_CORE,
  SOCIAL_WORDS,
} from './rules/small-talk-phrases';

/** One word of a phrase: its spellings, and whether it is optional. */
interface PhraseWord {
  spellings: readonly string[];
  optional: boolean;
}
type Phrase = readonly PhraseWord[];

/** Longer texts are requests, whatever they begin with. */
const MAX_WORDS = 16;
const MAX_CHARACTERS = 160;
/** From this length on a word may have one wrong, missing, added or swapped letter. */
const TOLERANT_LENGTH = 6;

const CORE = [...SMALL_TALK_ENGLISH, ...SMALL_TALK_RUSSIAN].map(parsePhrase);
const FILLERS = SMALL_TALK_FILLERS.map(parsePhrase);
const SOCIAL = { core: new Set(SOCIAL_CORE), around: new Set(SOCIAL_WORDS) };

/**
 * The test behind the rule for greetings: true only for pure small talk (greetings, thanks, goodbyes, who are you, what
 * can you do, and similar) in English or Russian. Strict: every word must belong to a social remark that asks nothing,
 * or to a known phrase, so a greeting with any question or task in it is a request. Tolerates case, punctuation, emoji,
 * stretched letters and one typo in a longer word.
 */
export function isSmallTalk(text: string): boolean {
  if (text.length > MAX_CHARACTERS || /[\d{}<>=`/\\|@$%]/.test(text)) return false;
  const words = wordsOf(excerptOf(text)).map(unstretch);
  if (words.length === 0) return isWave(text);
  if (words.length > MAX_WORDS) return false;
  return (!text.includes('?') && isRemark(words)) || isCovered(words);
}

/** A text that consists only of friendly emoji and smileys. */
function isWave(text: string): boolean {
  return /^[\s!?.]*(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u{fe0f}|:\)|\(:)+[\s!.)]*$/u.test(text);
}

/** Thanks, goodbyes, praise and similar: at least one core word, and only social words around it. */
function isRemark(words: readonly string[]): boolean {
  let found = false;
  for (const word of words) {
    if (isIn(SOCIAL.core, word)) found = true;
    else if (!SOCIAL.around.has(word)) return false;
  }
  return found;
}

function isIn(set: ReadonlySet<string>, word: string): boolean {
  if (set.has(word)) return true;
  if (word.length < TOLERANT_LENGTH || SOCIAL.around.has(word)) return false;
  for (const known of set) if (isAlike(word, known)) return true;
  return false;
}

/** Can the words be split into known phrases, at least one of them more than a filler? */
function isCovered(words: readonly string[]): boolean {
  const reached = new Array<boolean>(words.length + 1).fill(false);
  const withCore = new Array<boolean>(words.length + 1).fill(false);
  reached[0] = true;
  for (let start = 0; start < words.length; start += 1) {
    if (!reached[start]) continue;
    for (const phrase of FILLERS) {
      for (const end of endsOf(phrase, words, start)) {
        reached[end] = true;
        if (withCore[start]) withCore[end] = true;
      }
    }
    for (const phrase of CORE) {
      for (const end of endsOf(phrase, words, start)) {
        reached[end] = true;
        withCore[end] = true;
      }
    }
  }
  return withCore[words.length] === true;
}

/** Positions right after the phrase when it begins at `start`; several because words may be optional. */
function endsOf(phrase: Phrase, words: readonly string[], start: number): number[] {
  let positions = [start];
  for (const part of phrase) {
    const next: number[] = [];
    for (const position of positions) {
      if (part.optional) next.push(position);
      const word = words[position];
      if (word !== undefined && part.spellings.some((spelling) => isAlike(word, spelling)))
        next.push(position + 1);
    }
    if (next.length === 0) return next;
    positions = next;
  }
  return positions.filter((position) => position > start);
}

function isAlike(word: string, spelling: string): boolean {
  if (word === spelling) return true;
  if (word.length < TOLERANT_LENGTH || spelling.length < TOLERANT_LENGTH) return false;
  return isOneEditApart(word, spelling);
}

/** One letter wrong, missing, added, or two neighbours swapped; the first letter may differ too. */
function isOneEditApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from += 1;
  let endA = a.length;
  let endB = b.length;
  while (endA > from && endB > from && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  const restA = a.slice(from, endA);
  const restB = b.slice(from, endB);
  if (restA.length <= 1 && restB.length <= 1) return true;
  return restA.length === 2 && restB.length === 2 && restA[0] === restB[1] && restA[1] === restB[0];
}

/** Reduces stretched letters to one: `hiiii` is `hi`, `приветтт` is `привет`. */
function unstretch(word: string): string {
  return word.replace(/(.)\1{2,}/gu, '$1');
}

/** `how are|r you doing?`: words, `|` between spellings, `?` after an optional one. */
function parsePhrase(text: string): Phrase {
  return text.split(' ').map((word) => {
    const optional = word.endsWith('?');
    return { spellings: (optional ? word.slice(0, -1) : word).split('|'), optional };
  });
}
