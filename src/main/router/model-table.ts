import type { Category } from '../../shared/domain';

/** By billions of parameters: up to 4, below 32, below 64, from 64, not known. */
export type SizeClass = 'light' | 'middle' | 'heavy' | 'huge' | 'unknown';

/** How the best installed model for a category is found: the criteria of a row are applied in order. */
export interface CategoryRow {
  /** Best first. */
  sizes: readonly SizeClass[];
  /** Classes in which the larger model is better; in the others the smaller one is. */
  largerIsBetter: readonly SizeClass[];
  /** Families of light models in order of preference; others come after them. */
  families: readonly RegExp[];
  /** Names of models made for this work. */
  specialist: RegExp | null;
}

/** For fast answers: the product's light models in their order, then the best available light one. */
const LIGHT: CategoryRow = {
  sizes: ['light', 'unknown', 'middle', 'heavy', 'huge'],
  largerIsBetter: ['light'],
  families: [
    /phi-?3\.5[-:](?:mini|3\.8b)/i,
    /qwen2\.5[-:]3b/i,
    /tinyllama.*1\.1b.*chat|tinyllama.*chat.*1\.1b/i,
  ],
  specialist: null,
};

/** For tasks: the 32B class, then larger ones, which few machines can hold together with anything else. */
const TASK: CategoryRow = {
  sizes: ['heavy', 'huge', 'middle', 'light', 'unknown'],
  largerIsBetter: ['heavy', 'huge', 'middle', 'light', 'unknown'],
  families: [],
  specialist: null,
};

/** Which model does what when the user has not chosen one. Only this table decides it. */
export const MODEL_TABLE: Readonly<Record<Category, CategoryRow>> = {
  greeting: LIGHT,
  fast: LIGHT,
  data_question: TASK,
  coding: { ...TASK, specialist: /code|coder|starcoder|devstral/i },
  reasoning: { ...TASK, specialist: /r1|qwq|reason|think|math/i },
  general: TASK,
};

export function sizeClassOf(billions: number | null): SizeClass {
  if (!billions) return 'unknown';
  if (billions <= 4) return 'light';
  if (billions < 32) return 'middle';
  return billions < 64 ? 'heavy' : 'huge';
}
