import { describe, expect, it } from 'vitest';
import { en } from '../../../../src/renderer/i18n/en';
import { ru } from '../../../../src/renderer/i18n/ru';
import { ERROR_CODES } from '../../../../src/shared/errors';
import { EXIT_CAUSES } from '../../../../src/shared/incidents';

function flatten(tree: object, path = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') leaves.set(path + key, value);
    else for (const [leaf, text] of flatten(value, `${path}${key}.`)) leaves.set(leaf, text);
  }
  return leaves;
}

const english = flatten(en);
const russian = flatten(ru);
const holes = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

describe('the two languages', () => {
  it('have the same placeholders in each sentence', () => {
    const differing = [...english].filter(([key, text]) => {
      // English may say "the oldest message" where Russian needs a count.
      if (/_(one|few|many)$/.test(key)) return false;
      return holes(text).join() !== holes(russian.get(key) ?? '').join();
    });
    expect(differing).toEqual([]);
  });

  it('leave nothing untranslated but names', () => {
    const same = [...english].filter(([key, text]) => russian.get(key) === text && /[a-z]{3}/i.test(text));
    const names =
      /^(backend\.|settings\.(sections\.mlx|version|languages)|state\.announce|time\.|common\.separator|why\.other|life\.(last|span)|ledger\.gpu$|models\.(owners(From)?\.|example|contextCost$)|firstStart\.places\.)/;
    expect(same.map(([key]) => key).filter((key) => !names.test(key))).toEqual([]);
  });

  it('have a sentence for every error code', () => {
    expect(Object.keys(ERROR_CODES).filter((code) => !(code in en.errors))).toEqual([]);
  });

  it('explain every cause of an exit and its cure', () => {
    expect(EXIT_CAUSES.filter((cause) => !(cause in en.causes))).toEqual([]);
    expect(EXIT_CAUSES.filter((cause) => !(cause in en.serverErrors))).toEqual([]);
  });
});
