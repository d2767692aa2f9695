import { CATEGORIES, type Category } from '../../shared/domain';
import type { Settings } from '../../shared/settings';

export type Preload =
  | { kind: 'nothing' }
  | { kind: 'category'; category: Category }
  | { kind: 'model'; name: string };

/**
 * What MLX loads at start, from `MLX_PRELOAD_MODELS`: a category, a model's name, or `none`. MLX loads one model, so
 * only the first entry of a list counts. While only light models are allowed it is `fast`.
 */
export function wantedPreload({
  mlxPreloadModels,
  mlxOnlyLight,
}: Pick<Settings, 'mlxPreloadModels' | 'mlxOnlyLight'>): Preload {
  const first = mlxPreloadModels.split(',')[0]?.trim() ?? '';
  if (first === '' || first.toLowerCase() === 'none') return { kind: 'nothing' };
  if (mlxOnlyLight) return { kind: 'category', category: 'fast' };
  const category = first === 'default' ? 'general' : CATEGORIES.find((known) => known === first);
  return category ? { kind: 'category', category } : { kind: 'model', name: first };
}
