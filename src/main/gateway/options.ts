import type { Settings } from '../../shared/settings';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { Dispatcher } from '../router/types';
import type { BodyBudget } from './body-budget';
import type { GatewayFacts } from './facts';
import type { LargeBody } from './request-body';
import type { Surface } from './surface';

/** What a listener is made of. */
export interface GatewayOptions {
  surface: Surface;
  dispatcher: Dispatcher;
  facts: GatewayFacts;
  /** Read at each request, so that a change acts at once. */
  settings: () => Pick<Settings, 'mlxOnlyLight' | 'useBackends'>;
  /** Origins of our own UI, as known now. */
  uiOrigins: () => readonly string[];
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  /** Shared by the listeners. */
  bodies: BodyBudget;
  /** Bodies above this are read in slices; by default what takes longer than a few milliseconds. */
  largeBody?: LargeBody;
  clock: Clock;
  logger: Logger;
}
