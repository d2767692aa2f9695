import type { BackendId, BackendRole, Category } from '../../shared/domain';
import type { RouteBackend, RouteSnapshot } from './types';

/** Models with at least this many billions of parameters are never chosen for a category on a light backend. */
const NEVER_LIGHT_FROM_BILLIONS = 64;

/** @throws RangeError for an id that no backend of the snapshot has */
export function backendIn({ backends }: Pick<RouteSnapshot, 'backends'>, id: BackendId): RouteBackend {
  const backend = backends.find((one) => one.id === id);
  if (!backend) throw new RangeError(`no backend ${id} in this run`);
  return backend;
}

/** Is a model of this size ever chosen for a category? */
export function mayChoose(role: BackendRole, billions: number | null): boolean {
  return role !== 'light' || (billions ?? 0) < NEVER_LIGHT_FROM_BILLIONS;
}

/** Work that is never given to light models. */
export function needsHeavy(category: Category): boolean {
  return category === 'coding' || category === 'reasoning';
}

export function isLightWork(category: Category): boolean {
  return category === 'greeting' || category === 'fast';
}
