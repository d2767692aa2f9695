import type { Settings } from '../../shared/settings';
import type { Dispatcher } from '../dispatch/types';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { BodyBudget } from './body-budget';
import type { GatewayFacts } from './facts';
import type { LargeBody } from './request-body';
import type { Surface } from './surface';

/** Everything a listener needs. */
export interface GatewayOptions {
  surface: Surface;
  dispatcher: Dispatcher;
  facts: GatewayFacts;
  /** Read at each request, so that a change takes effect at once. */
  settings: () => Pick<Settings, 'mlxOnlyLight' | 'useBackends'>;
  /** Current origins of our own UI. */
  uiOrigins: () => readonly string[];
  /** In addition to the built-in ones. */
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  /** Shared by the listeners. */
  bodies: BodyBudget;
  /** Bodies above this are read in slices; the default is what takes longer than a few milliseconds. */
  largeBody?: LargeBody;
  clock: Clock;
  logger: Logger;
}
