import type { HangLimitsView } from '../../../shared/incidents';
import { hangLimits, LEAST_STEP_MS } from '../step-times';

export interface HangLimits {
  /** Ms without any line from the launcher, which writes one a second while there is work. */
  silenceMs: number;
  /** The same during a load: the tokenizer's file is read in one go, and the launcher's thread waits meanwhile. */
  loadingSilenceMs: number;
  /** Ms of one step of a model without learned steps, light and heavy. */
  unknownStepMs: number;
  unknownHeavyStepMs: number;
  /** Least that a learned step is allowed. */
  leastStepMs: number;
  /** Ms for tokenizing a prompt, which takes no steps: seconds for megabytes. */
  preparingMs: number;
  /** Ms that one model load may take. */
  loadMs: number;
  /** Ms that work for callers who left may continue. */
  drainMs: number;
}

/** Product limits: 3 s of silence; 3 times the slowest step, at least 8 s; 10 s or 60 s before a step is known. */
export const DEFAULT_HANG_LIMITS: HangLimits = {
  silenceMs: 3_000,
  loadingSilenceMs: 30_000,
  unknownStepMs: 10_000,
  unknownHeavyStepMs: 60_000,
  leastStepMs: LEAST_STEP_MS,
  preparingMs: 60_000,
  loadMs: 600_000,
  drainMs: 10_000,
};

/** The default limits multiplied by `times`. */
export function patientLimits(times: number): HangLimits {
  const longer = Object.entries(DEFAULT_HANG_LIMITS).map(([name, ms]) => [name, ms * times] as const);
  return Object.fromEntries(longer) as Record<keyof HangLimits, number>;
}

/** The limits that apply to a model now. `slowestMs` null = no known step. */
export function limitsFor(slowestMs: number | null, heavy: boolean, limits: HangLimits): HangLimitsView {
  const { silenceMs, unknownStepMs, unknownHeavyStepMs, leastStepMs } = limits;
  return hangLimits(slowestMs, heavy ? unknownHeavyStepMs : unknownStepMs, silenceMs, leastStepMs);
}
