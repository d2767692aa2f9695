import type { CompletionRequest } from '../../shared/completion';
import { CATEGORIES, type Category } from '../../shared/domain';
import { route } from './route';
import type { Candidate, RouteSnapshot } from './types';

/** The model that would answer a short message of each category now; null = none. */
export type CategoryModels = Readonly<Record<Category, Pick<Candidate, 'backend' | 'model'> | null>>;

/** Which model does what as things are: the router's own choice for each category. Pure. */
export function categoryModels(snapshot: RouteSnapshot): CategoryModels {
  const firstOf = (category: Category) => {
    const routed = route({ category, evidence: [] }, SHORT, snapshot);
    return routed.kind === 'candidates' ? (routed.candidates[0] ?? null) : null;
  };
  return Object.fromEntries(
    CATEGORIES.map((category) => [category, firstOf(category)]),
  ) as unknown as CategoryModels;
}

const SHORT: CompletionRequest = {
  ...{ id: 'category-models', model: { kind: 'auto' }, messages: [], sampling: {} },
  ...{ priority: 'low', client: 'ui', strict: false, origin: 'chat' },
};
