import { guarded } from './guarded';
import { ORACLE_MARGINS, oracle } from './oracle';
import { unguarded } from './policy';
import { HEAVY_MODELS, LIGHT_MODELS, NAMED_MODELS, PUBLISHED_MACS } from './published-macs';
import { TRACE_S, traceOf } from './trace';
import { type Outcome, runTrace } from './world';

export { runPairs } from './pairs';

export interface TraceResult {
  machine: string;
  unguarded: Outcome;
  guarded: Outcome;
  /** The best margin without an abort; null = it aborted with each margin. */
  oracle: Outcome | null;
}

/** Length of one trace. */
export const SECONDS = TRACE_S;
export const MACHINES = PUBLISHED_MACS.map(({ name }) => name);
const MODELS = [...LIGHT_MODELS, ...NAMED_MODELS, ...HEAVY_MODELS];

/** Runs every trace three times: without a guard, with the guard, and with the oracle. */
export function runAll(seed: number, traces: number): TraceResult[] {
  return Array.from({ length: traces }, (_, index) => {
    const trace = traceOf(seed, index);
    const tries = ORACLE_MARGINS.map((margin) => runTrace(trace, oracle(trace.mac, MODELS, margin)));
    const survived = tries.filter(({ aborts }) => aborts === 0);
    return {
      machine: trace.mac.name,
      unguarded: runTrace(trace, unguarded),
      guarded: runTrace(trace, guarded(trace.told)),
      oracle: survived.reduce<Outcome | null>(
        (best, next) => (best === null || next.tokens > best.tokens ? next : best),
        null,
      ),
    };
  });
}
