import type { CompletionRequest } from '../../shared/completion';
import type { Category } from '../../shared/domain';
import { TandemError, toTandemError } from '../../shared/errors';
import { orAbort, within } from '../ports/bounded';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import { decideByRules } from '../router/decide';
import { route } from '../router/route';
import type { CategoryDecision, Decider, Route, RouteSnapshot } from '../router/types';
import { poisoned } from './failures';
import type { RequestRun } from './request-run';
import { type Fingerprints, MAX_DEATHS } from './suspects/fingerprints';
import type { Routed } from './try-context';

/** Longest time that any decider gets, ms. */
const MAX_DECISION_MS = 10_000;

export interface RoutingOptions {
  decider: Decider;
  /** The current facts; called once per request, and again after `refresh`. */
  snapshot: () => RouteSnapshot;
  /** Resolves when the facts have been read once, so that the models' contexts do not change after that. */
  known?: (() => Promise<void>) | undefined;
  /** Reloads the model lists before a request is refused for lack of a model; gets what is missing. Never rejects. */
  refresh: (missed: string) => Promise<void>;
  /** Requests during which a process died. */
  fingerprints: Fingerprints;
  clock: Clock;
  logger: Logger;
}

/** What was decided about a request, the facts, and the route that follows from both. */
export interface Routing {
  decision: CategoryDecision;
  snapshot: RouteSnapshot;
  routed: Route;
}

/** Decides once and routes; routes again with fresh model lists if only a model is missing. Rejects only on abort. */
export async function routingOf(run: RequestRun, options: RoutingOptions): Promise<Routing> {
  const decision = await decisionFor(run, options);
  if (options.known) await orAbort(options.known(), run.signal);
  const byFacts = (snapshot: RouteSnapshot) => ({
    decision,
    snapshot,
    routed: route(decision, run.request, snapshot),
  });
  const routing = byFacts(options.snapshot());
  const { routed } = routing;
  if (routed.kind !== 'refused' || !isAboutModels(routed.error)) return routing;
  // A model that was installed by hand a moment ago is not in the list yet.
  await orAbort(options.refresh(missedBy(run.request, routed)), run.signal);
  return byFacts(options.snapshot());
}

/** Reroutes a request during which a process died: to another backend, if any can take it. */
export function awayFromKilled(
  run: RequestRun,
  routed: Routed,
  { decision, snapshot }: Routing,
  fingerprints: Fingerprints,
): Routed {
  const { request } = run;
  const { deaths, killed } = fingerprints.of(request);
  if (deaths >= MAX_DEATHS) throw poisoned();
  const first = routed.candidates[0];
  if (request.strict || !first || !killed.has(first.backend)) return routed;
  const elsewhere = route(
    decision,
    { ...request, exclude: [...(request.exclude ?? []), ...killed] },
    snapshot,
  );
  if (elsewhere.kind === 'refused') return routed;
  run.addReasons([`fallback:${first.backend}-poison`]);
  return elsewhere;
}

async function decisionFor(
  { request, signal }: RequestRun,
  { decider, clock, logger }: RoutingOptions,
): Promise<CategoryDecision> {
  if (decider.limitMs === null) return decider.decide(request);
  try {
    return await within(
      clock,
      Math.min(decider.limitMs, MAX_DECISION_MS),
      signal,
      (inner) => decider.decide(request, inner),
      () => new TandemError('timeout', 'The decision took too long.'),
    );
  } catch (error) {
    signal.throwIfAborted();
    logger.warn('decided-by-rules', { id: request.id, code: toTandemError(error).code });
    return decideByRules(request);
  }
}

/** What a refused request misses: the model it names, else a model for its category. */
function missedBy({ model }: CompletionRequest, { category }: { category: Category }): string {
  return model.kind === 'named' ? `model ${model.name}` : `work ${category}`;
}

/** Could a newly found model change this refusal? */
function isAboutModels(error: TandemError): boolean {
  return ['no_model', 'model_not_found', 'context_exceeded', 'memory_critical'].includes(error.code);
}
