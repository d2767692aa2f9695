import type { BackendRole, Category } from '../../shared/domain';
import type { Settings } from '../../shared/settings';

/** One of the two listeners; both use the same dialects, router and queue. */
export interface Surface {
  /** Name in the journal. */
  readonly origin: 'gateway' | 'mlx-api';
  /** Environment variable of its port. */
  readonly portVariable: string;
  /** Listings show only models of backends with this role; null = all. */
  readonly lists: BackendRole | null;
  /** A request may omit `model`: its category decides. */
  readonly modelOptional: boolean;
  /** Category of a request that gives neither a model nor a category, or gives `default`. */
  defaultCategory(settings: Pick<Settings, 'mlxOnlyLight'>): Category | undefined;
  /** Role of the backend that is tried first if no model is named; undefined = the strategy decides. */
  firstRole(settings: Pick<Settings, 'mlxOnlyLight'>): BackendRole | undefined;
}

export const ROUTER_GATEWAY: Surface = {
  origin: 'gateway',
  portVariable: 'TANDEM_GATEWAY_PORT',
  lists: null,
  modelOptional: false,
  defaultCategory: () => undefined,
  firstRole: () => undefined,
};

/**
 * While only light models are allowed on MLX, its `default` category is the fast model, and heavy work goes where the
 * strategy says; otherwise its categories are models on MLX.
 */
export const MLX_API: Surface = {
  origin: 'mlx-api',
  portVariable: 'TANDEM_MLX_API_PORT',
  lists: 'light',
  modelOptional: true,
  defaultCategory: ({ mlxOnlyLight }) => (mlxOnlyLight ? 'fast' : 'general'),
  firstRole: ({ mlxOnlyLight }) => (mlxOnlyLight ? undefined : 'light'),
};
