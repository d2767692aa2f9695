/** Longest time of each part of a completion before the server counts as failed, ms. */
export interface StreamLimits {
  /** To load this model and start its process. */
  loadTimeoutMs(model: string): number;
  /** To evaluate a prompt of this many tokens. */
  prefillMs(model: string, tokens: number): number;
  /** Without any progress, for a model without learned steps. */
  stallMs(heavy: boolean): number;
  /** Between two frames, even while the model's process computes. */
  silentMs: number;
  /** During a load without any model process; between two processes there is none for a moment. */
  noRunnerMs: number;
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
  silentMs: 120_000,
  noRunnerMs: 5_000,
  queueMs: 120_000,
  lookEveryMs: 1000,
};
