import type { HangLimitsView } from '../../../shared/incidents';

/** How long a completion may take in each of its parts before the server is taken to have failed, ms. */
export interface StreamLimits {
  /** To load this model, with the process that holds it. */
  loadTimeoutMs(model: string): number;
  /** To evaluate a prompt of so many tokens. */
  prefillMs(model: string, tokens: number): number;
  /** Without any progress, while nothing has been learned of the model. */
  stallMs(heavy: boolean): number;
  /** Without a frame while the model's process computes: a call of a tool comes in one frame, however long it is. */
  silentMs: number;
  /** Waiting for a place in the server's queue. */
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
  queueMs: 120_000,
  lookEveryMs: 1000,
};

/** A limit learned from frames is never below this, and is this many times the slowest gap between two of them. */
const LEARNED_LEAST_MS = 8000;
const LEARNED_TIMES = 3;
/** So many gaps between frames of one model, and its limit counts as learned. */
const LEARNED_AFTER = 50;

/** The gaps between the frames of each model in this run, and the limits that follow from them. */
export class FrameGaps {
  readonly #limits: StreamLimits;
  readonly #byModel = new Map<string, { count: number; slowestMs: number }>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  add(model: string, ms: number): void {
    const known = this.#byModel.get(model);
    if (!known) {
      this.#byModel.set(model, { count: 1, slowestMs: ms });
      return;
    }
    known.count += 1;
    known.slowestMs = Math.max(known.slowestMs, ms);
  }

  limits(model: string, heavy: boolean): HangLimitsView {
    const known = this.#byModel.get(model);
    if (!known || known.count < LEARNED_AFTER) {
      return { silenceMs: null, stepMs: this.#limits.stallMs(heavy), learned: false };
    }
    const stepMs = Math.round(Math.max(LEARNED_TIMES * known.slowestMs, LEARNED_LEAST_MS));
    return { silenceMs: null, stepMs, learned: true };
  }
}
