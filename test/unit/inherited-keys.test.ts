import type { TFunction } from 'i18next';
import { describe, expect, it } from 'vitest';
import { parseModelfile } from '../../src/main/backends/dialects/ollama/modelfile';
import { rest, rungOf, stepDown, untilClimb } from '../../src/main/backends/mlx/oom-ladder';
import { isCallName } from '../../src/main/contract/binder';
import { parseCategory, parseModelChoice } from '../../src/main/gateway/model-choice';
import { parseEnvironment } from '../../src/main/store/environment';
import { resolveSettings } from '../../src/main/store/resolve-settings';
import { estimateFor } from '../../src/main/times/estimates';
import { guessFor } from '../../src/main/times/time-table';
import { reasonSentence, rescuedFrom } from '../../src/renderer/features/chat/reason-words';
import { acceleratorKeys } from '../../src/renderer/features/settings/accelerator';
import { en } from '../../src/renderer/i18n/en';
import { INSTANCES } from '../support/backends';

/** Translates a key to itself, and only keys that exist. */
const t = ((key: string) => {
  const found = key.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], en);
  expect(found, key).toBeTypeOf('string');
  return key;
}) as unknown as TFunction;

/** Names of inherited properties must be as unknown as any other word, wherever a word comes from outside. */
describe.each(['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty'])(
  'the word %s',
  (word) => {
    it('is no category and no call', () => {
      expect(() => parseCategory(word)).toThrow(/unknown category/);
      expect(() => parseModelChoice(`auto:${word}`, { backends: [], named: () => [] })).toThrow(
        /unknown category/,
      );
      expect(isCallName(word)).toBe(false);
    });

    it('is an unknown model', () => {
      expect(guessFor(word)).toMatchObject({ source: 'default', load: 60 });
      expect(estimateFor(word, {})).toMatchObject({ source: 'default', load: 60 });
      expect(rungOf({}, word).kind).toBe('full');
      expect(rest({}, word, 1000)).toEqual({});
      expect(untilClimb({}, word)).toBeNull();
      const { memory } = stepDown({}, word, true, null);
      expect(rungOf(memory, word).kind).toBe('prompt_cache');
    });

    it('is a normal parameter of a Modelfile', () => {
      const { parameters } = parseModelfile(`PARAMETER ${word} 1\nPARAMETER ${word} 2`);
      expect(Object.entries(parameters)).toEqual([[word, [1, 2]]]);
    });

    it('is not a setting and not a value of one', () => {
      expect(parseEnvironment({ MLX_ONLY_LIGHT: word, [word]: '1' }).values).toEqual({});
      const file = Object.fromEntries([[word, 1]]);
      expect(resolveSettings(file, {})).toMatchObject({ invalid: [], chosen: new Map() });
    });

    it('is a reason without its own sentence', () => {
      expect(reasonSentence(`rule:${word}`, t, INSTANCES)).toBe('why.rules.other');
      expect(reasonSentence(`setting:${word}`, t, INSTANCES)).toBe('why.settings.other');
      expect(reasonSentence(`memory:${word}`, t, INSTANCES)).toBe('why.memory.other');
      expect(reasonSentence(`fallback:mlx-${word}`, t, INSTANCES)).toBe('why.fallback.other');
      expect(reasonSentence(`unavailable:mlx-${word}`, t, INSTANCES)).toBe('why.unavailable.state');
      expect(reasonSentence(`explicit:${word}`, t, INSTANCES)).toBe('why.other');
      expect(rescuedFrom([`fallback:mlx-${word}`], 'ollama', INSTANCES)).toBeNull();
      expect(acceleratorKeys(`Alt+${word}`)).toEqual(['⌥', word.toLowerCase()]);
    });
  },
);
