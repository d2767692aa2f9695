import { own } from '../../shared/own';

/** Seconds: to load, per 1,000 tokens, and as a margin. */
export interface TimeEstimate {
  load: number;
  per1k: number;
  margin: number;
}

export interface Guess extends TimeEstimate {
  /** From the table's own row, the size in the name, or neither. */
  source: 'table' | 'size' | 'default';
}

/** Product figures, section 4: first guesses until this machine has measurements. */
const HUGE: TimeEstimate = { load: 180, per1k: 180, margin: 120 };
const LARGE: TimeEstimate = { load: 120, per1k: 120, margin: 120 };
const HEAVY: TimeEstimate = { load: 60, per1k: 40, margin: 60 };
const LIGHT: TimeEstimate = { load: 25, per1k: 15, margin: 30 };
const SMALL: TimeEstimate = { load: 20, per1k: 12, margin: 25 };
const TINY: TimeEstimate = { load: 10, per1k: 5, margin: 20 };

const TABLE: Readonly<Record<string, TimeEstimate>> = {
  'command-r-plus:104b': HUGE,
  'deepseek-r1-distill-llama:70b': LARGE,
  'llama3.3:70b': LARGE,
  reasoning: LARGE,
  'qwen2.5-coder:32b': HEAVY,
  coding: HEAVY,
  default: HEAVY,
  'phi3.5:3.8b': LIGHT,
  'phi3:mini-4k': LIGHT,
  'phi3.5-mini-4k': LIGHT,
  fast: LIGHT,
  'qwen2.5:3b': SMALL,
  'tinyllama:1.1b-chat': TINY,
  tiny: TINY,
};

/** Sizes as written in names; the first match wins. */
const BY_SIZE: readonly (readonly [RegExp, TimeEstimate])[] = [
  [/(?:^|[^\d.])104b/i, HUGE],
  [/(?:^|[^\d.])7[02]b/i, LARGE],
  [/(?:^|[^\d.])3[2-4]b/i, HEAVY],
  [/(?:^|[^\d.])3\.8b|(?:^|[^\d.])4k(?:$|\W)/i, LIGHT],
  [/(?:^|[^\d.])3b/i, SMALL],
  [/(?:^|[^\d.])1(?:\.\d)?b/i, TINY],
];

/** The product's first guess for a model, based only on its name. */
export function guessFor(model: string): Guess {
  const name = plainName(model);
  const listed = own(TABLE, name);
  if (listed) return { ...listed, source: 'table' };
  const sized = BY_SIZE.find(([pattern]) => pattern.test(name))?.[1];
  return sized ? { ...sized, source: 'size' } : { ...HEAVY, source: 'default' };
}

/** Lower case, without the organisation and the default tag `:latest`. */
export function plainName(model: string): string {
  return (model.split('/').at(-1) ?? model).toLowerCase().replace(/:latest$/, '');
}
