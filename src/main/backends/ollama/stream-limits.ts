import type { HangLimitsView } from '../../../shared/incidents';

/** How long a completion may take in each of its parts before the server is taken to have failed, ms. */
export interface StreamLimits {
  /** To load this model, with the process that holds it. */
  loadTimeoutMs(model: string): number;
  /** To evaluate a prompt of so many tokens. */
  prefillMs(model: string, tokens: number): number;
  /** Without any progress, while nothing has been learned of the model. */
  stallMs(heavy: boolean): number;
  /** Without a frame while the model's process computes. */
  silentMs: number;
  /** In a load without any process that could do it: between two there is none for a moment. */
  noRunnerMs: number;
  /** Waiting for a place in the server's queue, where the request does not say how long it may take. */
  queueMs: number;
  /** How often a silent stream is looked at. A machine that slept has not looked, so that its sleep does not count. */
  lookEveryMs: number;
}

/**
 * Ollama itself gives a load up after 5 minutes without progress (OLLAMA_LOAD_TIMEOUT). 10 and 60 s are the product's
 * limits for a model of which nothing is known yet.
 */
export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  loadTimeoutMs: () => 300_000,
  prefillMs: (_model, tokens) => 60_000 + tokens * 60,
  stallMs: (heavy) => (heavy ? 60_000 : 10_000),
  silentMs: 120_000,
  noRunnerMs: 5_000,
  queueMs: 120_000,
  lookEveryMs: 1000,
};

/** The slowest step of each model, as far as it has been seen. */
export interface StepTimes {
  /** Ms between two frames at most so far; null = none seen. */
  slowestMs(model: string): number | null;
  /** Two frames came so many ms apart. */
  onStep(model: string, ms: number): void;
}

export const UNLEARNED: StepTimes = { slowestMs: () => null, onStep: () => {} };

/** A learned limit is so many times the slowest step, and never below this. */
const STEP_FACTOR = 3;
const LEAST_STEP_MS = 8000;

/** After how long without progress a model counts as stalled. Silence alone proves nothing and has no limit. */
export function hangLimits(slowestMs: number | null, unlearnedMs: number): HangLimitsView {
  const learned = slowestMs !== null;
  const stepMs = learned ? Math.max(STEP_FACTOR * slowestMs, LEAST_STEP_MS) : unlearnedMs;
  return { silenceMs: null, stepMs: Math.round(stepMs), learned };
}
