import { LEAST_STEP_MS } from '../step-times';

/** Longest time of each part of a completion before the server counts as failed, ms. */
export interface StreamLimits {
  /** To load this model and start its process. */
  loadTimeoutMs(model: string): number;
  /** To evaluate a prompt of this many tokens. */
  prefillMs(model: string, tokens: number): number;
  /** Without any progress, for a model without learned steps. */
  stallMs(heavy: boolean): number;
  /** The same for a model with learned steps, at least. */
  leastStepMs: number;
  /** Between two frames, even while the model's process computes. */
  silentMs: number;
  /** During a load without any model process; between two processes there is none for a moment. */
  noRunnerMs: number;
  /** For an external server to report its version; without it twice in a row the server counts as gone. */
  probeMs: number;
  /** Waiting for a place in the server's queue, for a request without its own limit. */
  queueMs: number;
  /** Interval of checking a silent stream. Time is counted in checks, so the sleep of a machine does not count. */
  lookEveryMs: number;
}

/**
 * Ollama itself aborts a load after 5 minutes without progress (OLLAMA_LOAD_TIMEOUT). 10 and 60 s are the product's
 * limits for a model without learned steps.
 */
export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  loadTimeoutMs: () => 300_000,
  prefillMs: (_model, tokens) => 60_000 + tokens * 60,
  stallMs: (heavy) => (heavy ? 60_000 : 10_000),
  leastStepMs: LEAST_STEP_MS,
  silentMs: 120_000,
  noRunnerMs: 5_000,
  probeMs: 2_000,
  queueMs: 120_000,
  lookEveryMs: 1000,
};

/** The limits of silence, multiplied by `times`. Those of a load, a prompt and the queue have estimates of their own. */
export function patientStreamLimits(times: number) {
  const { stallMs, leastStepMs, silentMs, noRunnerMs, probeMs } = DEFAULT_STREAM_LIMITS;
  return {
    stallMs: (heavy: boolean) => stallMs(heavy) * times,
    leastStepMs: leastStepMs * times,
    silentMs: silentMs * times,
    noRunnerMs: noRunnerMs * times,
    probeMs: probeMs * times,
  } satisfies Partial<StreamLimits>;
}
