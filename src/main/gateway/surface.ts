import type { BackendId, Category } from '../../shared/domain';
import type { Settings } from '../../shared/settings';

/** One of the two listeners; both speak the same dialects over the same router and queue. */
export interface Surface {
  /** Name in the journal. */
  readonly origin: 'gateway' | 'mlx-api';
  /** Variable that chooses its port. */
  readonly portVariable: string;
  /** Listings show this backend's models only; null = all. */
  readonly lists: BackendId | null;
  /** A request may leave `model` out: its category decides. */
  readonly modelOptional: boolean;
  /** Category of a request without an explicit model that names none, or `default`. */
  defaultCategory(settings: Pick<Settings, 'mlxOnlyLight'>): Category | undefined;
}

export const ROUTER_GATEWAY: Surface = {
  origin: 'gateway',
  portVariable: 'TANDEM_GATEWAY_PORT',
  lists: null,
  modelOptional: false,
  defaultCategory: () => undefined,
};

/** While only light models are allowed on MLX, its `default` category is the fast model. */
export const MLX_API: Surface = {
  origin: 'mlx-api',
  portVariable: 'TANDEM_MLX_API_PORT',
  lists: 'mlx',
  modelOptional: true,
  defaultCategory: ({ mlxOnlyLight }) => (mlxOnlyLight ? 'fast' : 'general'),
};
