import type { HangLimitsView } from '../../shared/incidents';

/** The slowest known step of each model: a piece of a prompt, or an answer token. */
export interface StepTimes {
  /** Longest step so far, ms; null = unknown. */
  slowestMs(model: string): number | null;
  /** A step took this many ms. */
  onStep(model: string, ms: number): void;
}

/** For a server whose steps are not remembered. */
export const UNLEARNED: StepTimes = { slowestMs: () => null, onStep: () => {} };

/** A learned limit is this many times the slowest step, and at least `LEAST_STEP_MS` or what patience makes of it. */
const STEP_FACTOR = 3;
export const LEAST_STEP_MS = 8000;

/**
 * Time without progress after which a model counts as hung, for both kinds of server.
 * @param slowestMs null = no known step, so `unlearnedMs` applies
 * @param silenceMs null = silence alone proves no hang
 */
export function hangLimits(
  slowestMs: number | null,
  unlearnedMs: number,
  silenceMs: number | null,
  leastStepMs: number,
): HangLimitsView {
  const learned = slowestMs !== null;
  const stepMs = learned ? Math.max(STEP_FACTOR * slowestMs, leastStepMs) : unlearnedMs;
  return { silenceMs, stepMs: Math.round(stepMs), learned };
}
