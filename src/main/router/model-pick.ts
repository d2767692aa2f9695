import { type BackendId, type Category, canChat, type ModelInfo } from '../../shared/domain';
import { findByName } from '../models/model-names';
import { contextOf } from './context';
import { type CategoryRow, MODEL_TABLE, sizeClassOf } from './model-table';
import { backendIn, isLightWork, mayChoose } from './roles';
import type { RouteSnapshot } from './types';

export interface Pick {
  name: string;
  /** The small model, chosen because there is no better one. */
  small: boolean;
  /** See `contextOf`. */
  context: number | null;
}

/** What a request needs from a model. */
export interface Requirements {
  capabilities: readonly string[];
  /** Language code of the message, null = any. Called only when a model's languages are known. */
  language: () => string | null;
}

export const NO_REQUIREMENTS: Requirements = { capabilities: [], language: () => null };

/**
 * The model of a backend for a category: the user's choice (whatever its size and languages, if it is installed), else
 * the best installed one that meets the requirements. The small model is the last choice, and while another model is
 * installed it is used only for light work. Null when there is none.
 */
export function pickModel(
  backend: BackendId,
  category: Category,
  snapshot: RouteSnapshot,
  needs: Requirements,
): Pick | null {
  const installed = snapshot.models.filter((model) => model.backend === backend);
  return (
    namedBySetting(backend, category, snapshot, installed) ??
    best(installed, backend, category, snapshot, needs)
  );
}

/** The best light model that is smaller than another of the same backend, or null. */
export function pickSmaller(backend: BackendId, than: string, snapshot: RouteSnapshot): Pick | null {
  const models = snapshot.models.filter((model) => model.backend === backend);
  const limit = models.find(({ name }) => name === than)?.sizeBytes ?? 0;
  const smaller = models.filter(
    ({ weight, sizeBytes }) => weight === 'light' && sizeBytes !== null && sizeBytes < limit,
  );
  return best(smaller, backend, 'fast', snapshot, NO_REQUIREMENTS);
}

/** Is the small model the only one that can answer? Models of a server that is down for now count as installed. */
export function isSmallAlone(snapshot: RouteSnapshot): boolean {
  const able = snapshot.models.filter(
    (model) => canChat(model) && backendIn(snapshot, model.backend).enabled,
  );
  return able.length > 0 && able.every(({ small }) => small);
}

/** Has the user chosen this model for any category of its backend? Then it counts as capable. */
export function isNamedBySetting(model: ModelInfo, snapshot: RouteSnapshot): boolean {
  const { chosen } = backendIn(snapshot, model.backend);
  return Object.values(chosen).some((name) => name !== null && findByName([model], name) !== undefined);
}

function namedBySetting(
  backend: BackendId,
  category: Category,
  snapshot: RouteSnapshot,
  installed: readonly ModelInfo[],
): Pick | null {
  const name = backendIn(snapshot, backend).chosen[category] ?? null;
  if (name === null) return null;
  const model = findByName(installed, name);
  // Before the first listing nothing is known, so the user's choice is used.
  if (!model) return installed.length === 0 ? { name, small: false, context: null } : null;
  return model.remote ? null : { ...toPick(model), small: false };
}

function best(
  installed: readonly ModelInfo[],
  backend: BackendId,
  category: Category,
  snapshot: RouteSnapshot,
  needs: Requirements,
): Pick | null {
  const { role } = backendIn(snapshot, backend);
  const onlyLight = role === 'light' && (snapshot.settings.mlxOnlyLight || isLightWork(category));
  const smallToo = isLightWork(category) || isSmallAlone(snapshot);
  const able = installed.filter(
    (model) =>
      (!model.small || smallToo) &&
      canChat(model) &&
      needs.capabilities.every((need) => model.capabilities.includes(need)) &&
      speaks(model, needs) &&
      mayChoose(role, model.billions) &&
      (!onlyLight || model.weight === 'light'),
  );
  // Only light models are left, so they are ranked as light ones for any work.
  const row = MODEL_TABLE[onlyLight ? 'fast' : category];
  let first: { model: ModelInfo; rank: (number | string)[] } | null = null;
  for (const model of able) {
    const rank = rankOfModel(model, row);
    if (!first || compareRanks(rank, first.rank) < 0) first = { model, rank };
  }
  return first ? toPick(first.model) : null;
}

function speaks({ languages }: ModelInfo, needs: Requirements): boolean {
  if (languages === null) return true;
  const language = needs.language();
  return language === null || languages.includes(language);
}

/** Lower is better. A model that this machine cannot hold comes last; a server may still run part of it on the CPU. */
function rankOfModel(model: ModelInfo, row: CategoryRow): (number | string)[] {
  const size = model.billions ?? 0;
  const sizeClass = sizeClassOf(size);
  const family = row.families.findIndex((pattern) => pattern.test(model.name));
  return [
    model.small ? 1 : 0,
    model.fit === 'no' ? 1 : 0,
    row.sizes.indexOf(sizeClass),
    sizeClass !== 'light' || family < 0 ? row.families.length : family,
    row.families.length > 0 ? 0 : specialityOf(model, row),
    row.largerIsBetter.includes(sizeClass) ? -size : size,
    isQuantised(model) ? 0 : 1,
    model.name,
  ];
}

/** 0 = made for this work, 1 = for none in particular, 2 = for other work. */
function specialityOf({ name }: ModelInfo, row: CategoryRow): number {
  if (row.specialist?.test(name)) return 0;
  return Object.values(MODEL_TABLE).some(({ specialist }) => specialist?.test(name)) ? 2 : 1;
}

function isQuantised(model: ModelInfo): boolean {
  return model.quantisation !== null && !/^(?:b?f16|f32|fp16|fp32)$/i.test(model.quantisation);
}

function compareRanks(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? '';
    if (left === right) continue;
    return typeof left === 'number' && typeof right === 'number'
      ? left - right
      : String(left).localeCompare(String(right));
  }
  return 0;
}

function toPick(model: ModelInfo): Pick {
  return { name: model.name, small: model.small, context: contextOf(model) };
}
