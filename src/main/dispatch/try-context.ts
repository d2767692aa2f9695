import type { Backend } from '../backends/backend';
import { isSameName } from '../models/model-names';
import type { Clock } from '../ports/clock';
import type { SlotWish } from '../queue/types';
import { promptTokens } from '../router/context';
import { backendIn } from '../router/roles';
import type { Candidate, Route, RouteSnapshot } from '../router/types';
import { estimateFor, expectedRunMs, queueWaitMs, requestTimeoutMs } from '../times/estimates';
import type { Measured, MeasuredTimes } from '../times/measured-times';
import type { DrainWatch } from './drain-watch';
import type { RequestRun } from './request-run';
import type { Fingerprints } from './suspects/fingerprints';
import type { InFlight } from './suspects/in-flight';

export type Routed = Extract<Route, { kind: 'candidates' }>;

/** One attempt of a request on one candidate, with all that its steps need. */
export interface TryContext {
  run: RequestRun;
  routed: Routed;
  snapshot: RouteSnapshot;
  candidate: Candidate;
  backend: Backend;
  /** Another candidate is available. */
  hasNext: boolean;
  /** No other candidate is left: if the backend goes down now, wait for it even while holding a slot. */
  mayWait: boolean;
  plan: Plan;
  /** Share of the model's context to fill; below 1 after the server counted more tokens than were estimated. */
  contextShare: number;
  clock: Clock;
  measured: MeasuredTimes;
  fingerprints: Fingerprints;
  drains: DrainWatch;
  inFlight: InFlight;
}

export interface Plan {
  /** Time limit for the backend in ms, from when it receives the request. */
  timeoutMs: number;
  wish: SlotWish;
}

/** The slot wish and the time limit for a candidate. */
export function planFor(
  { run, routed, snapshot, measured }: Pick<TryContext, 'run' | 'routed' | 'snapshot' | 'measured'>,
  candidate: Candidate,
): Plan {
  const { settings, models } = snapshot;
  const { maxTokens } = run.request.sampling;
  const model = { backend: candidate.backend, name: candidate.model };
  const estimate = (known: Readonly<Measured> | null) =>
    estimateFor(candidate.model, settings.modelTimeEstimates, known);
  const limit = estimate(measured.slowOf(model));
  const loaded = backendIn(snapshot, candidate.backend).loaded ?? [];
  const work = {
    promptTokens: promptTokens(run.request),
    maxTokens,
    loaded: loaded.some((name) => isSameName(name, candidate.model)),
  };
  const expected = estimate(measured.of(model));
  return {
    timeoutMs: requestTimeoutMs(settings, routed.category, limit, maxTokens),
    wish: {
      backend: candidate.backend,
      model: candidate.model,
      category: routed.category,
      estimateMs: expectedRunMs(expected, work),
      loadMs: work.loaded ? 0 : Math.round(expected.load * 1000),
      waitMs: queueWaitMs(settings, models, measured),
    },
  };
}
