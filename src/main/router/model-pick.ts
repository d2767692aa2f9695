import type { BackendId, Category, ModelInfo } from '../../shared/domain';
import { findByName } from './model-names';
import { isLightWork, ROLES } from './roles';
import type { RouteSnapshot } from './types';

export interface Pick {
  name: string;
  starter: boolean;
  contextLength: number | null;
}

/** Light models in the order of the product (section 2); the last place of the list is any other light model. */
const LIGHT_PREFERENCES: readonly RegExp[] = [
  /phi-?3\.5[-:](?:mini|3\.8b)/i,
  /qwen2\.5[-:]3b/i,
  /tinyllama.*1\.1b.*chat|tinyllama.*chat.*1\.1b/i,
];
const SPECIALISTS: Readonly<Partial<Record<Category, RegExp>>> = {
  coding: /code|coder|starcoder|devstral/i,
  reasoning: /r1|qwq|reason|think|math/i,
};

/**
 * The model of a backend for a category: the user's (whatever its size, if it is installed), else the best installed
 * one that has the capabilities needed. Null when there is none; the starter is never picked here.
 */
export function pickModel(
  backend: BackendId,
  category: Category,
  snapshot: RouteSnapshot,
  needs: readonly string[],
): Pick | null {
  const installed = snapshot.models.filter((model) => model.backend === backend);
  return (
    namedBySetting(backend, category, snapshot, installed) ??
    best(installed, backend, category, snapshot, needs)
  );
}

/** The bundled model on this backend, if it is there. */
export function pickStarter(backend: BackendId, snapshot: RouteSnapshot): Pick | null {
  const model = snapshot.models.find((candidate) => candidate.backend === backend && candidate.starter);
  return model ? toPick(model) : null;
}

/** Is this model the user's own choice for any category of its backend? Then it counts as capable. */
export function isNamedBySetting(model: ModelInfo, snapshot: RouteSnapshot): boolean {
  const role = ROLES[model.backend];
  const categories = ['fast', 'coding', 'reasoning', 'general'] as const;
  return categories.some((category) => {
    const name = snapshot.settings[role.modelSetting(category, snapshot.settings)];
    return name !== null && findByName([model], name) !== undefined;
  });
}

function namedBySetting(
  backend: BackendId,
  category: Category,
  snapshot: RouteSnapshot,
  installed: readonly ModelInfo[],
): Pick | null {
  const name = snapshot.settings[ROLES[backend].modelSetting(category, snapshot.settings)];
  if (name === null) return null;
  const model = findByName(installed, name);
  // Before the first listing nothing is known, and the user's word holds.
  if (!model) return installed.length === 0 ? { name, starter: false, contextLength: null } : null;
  return model.remote ? null : { ...toPick(model), starter: false };
}

function best(
  installed: readonly ModelInfo[],
  backend: BackendId,
  category: Category,
  snapshot: RouteSnapshot,
  needs: readonly string[],
): Pick | null {
  const role = ROLES[backend];
  const onlyLight = role.work === 'light' && (snapshot.settings.mlxOnlyLight || isLightWork(category));
  const able = installed.filter(
    (model) =>
      !model.starter &&
      !model.remote &&
      (model.capabilities.length === 0 || model.capabilities.includes('completion')) &&
      needs.every((need) => model.capabilities.includes(need)) &&
      (model.billions ?? 0) < role.neverFromBillions &&
      (!onlyLight || model.weight === 'light'),
  );
  const byLight = isLightWork(category) || onlyLight;
  const rank = byLight ? lightRank : (model: ModelInfo) => taskRank(model, category);
  const [first] = [...able].sort((a, b) => compareRanks(rank(a), rank(b)) || a.name.localeCompare(b.name));
  return first ? toPick(first) : null;
}

/** Smaller is better: preferred families, other light ones (the larger the better), then the smallest of the rest. */
function lightRank(model: ModelInfo): number[] {
  const preferred = LIGHT_PREFERENCES.findIndex((pattern) => pattern.test(model.name));
  const family = preferred >= 0 ? preferred : LIGHT_PREFERENCES.length;
  const size = model.billions ?? 0;
  const light = model.weight === 'light';
  return [light ? 0 : 1, light ? family : 0, light ? -size : size, isQuantised(model) ? 0 : 1];
}

/** Smaller is better: the 32B class, then larger, then middle, then light; specialists first in their category. */
function taskRank(model: ModelInfo, category: Category): number[] {
  const size = model.billions ?? 0;
  const sizeClass = size >= 64 ? 1 : size >= 32 ? 0 : size > 4 ? 2 : 3;
  const specialist = SPECIALISTS[category]?.test(model.name) ?? false;
  const misplaced = Object.entries(SPECIALISTS).some(
    ([name, pattern]) => name !== category && pattern.test(model.name),
  );
  return [sizeClass, specialist ? 0 : misplaced ? 2 : 1, -size, isQuantised(model) ? 0 : 1];
}

function isQuantised(model: ModelInfo): boolean {
  return model.quantisation !== null && !/^(?:b?f16|f32|fp16|fp32)$/i.test(model.quantisation);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function toPick(model: ModelInfo): Pick {
  return { name: model.name, starter: model.starter, contextLength: model.contextLength };
}
