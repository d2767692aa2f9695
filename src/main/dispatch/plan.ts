import { isSameName } from '../models/model-names';
import type { SlotWish } from '../queue/types';
import { promptTokens } from '../router/context';
import { estimateFor, expectedRunMs, queueWaitMs, requestTimeoutMs } from '../times/estimates';
import type { Measured, MeasuredTimes } from '../times/measured-times';
import type { TryContext } from './answer';

export interface Plan {
  timeoutMs: number;
  wish: SlotWish;
}

/** The slot wish and the time limit for this candidate. */
export function planFor(
  { run, routed, snapshot, candidate }: Pick<TryContext, 'run' | 'routed' | 'snapshot' | 'candidate'>,
  measured: MeasuredTimes,
): Plan {
  const { settings, models } = snapshot;
  const { maxTokens } = run.request.sampling;
  const model = { backend: candidate.backend, name: candidate.model };
  const estimate = (known: Readonly<Measured> | null) =>
    estimateFor(candidate.model, settings.modelTimeEstimates, known);
  const limit = estimate(measured.slowOf(model));
  const allowed = requestTimeoutMs(settings, routed.category, limit, maxTokens);
  const loaded = snapshot.backends[candidate.backend].loaded ?? [];
  const work = {
    promptTokens: promptTokens(run.request),
    maxTokens,
    loaded: loaded.some((name) => isSameName(name, candidate.model)),
  };
  const expected = estimate(measured.of(model));
  return {
    timeoutMs: Math.min(allowed, run.request.timeoutMs ?? allowed),
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
