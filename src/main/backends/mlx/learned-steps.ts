import type { StepTimes } from '../step-times';

/** A step with at least this many prompt tokens counts as a full one: half of what the server computes at once. */
const WHOLE_STEP_TOKENS = 64;

/** A store that lives as long as the backend. */
function ownMemory(): StepTimes {
  const slowest = new Map<string, number>();
  return {
    slowestMs: (model) => slowest.get(model) ?? null,
    onStep: (model, ms) => void slowest.set(model, Math.max(ms, slowest.get(model) ?? 0)),
  };
}

/**
 * The slowest step of each model. Learns nothing before one step computed a full piece of a prompt: answer tokens and
 * short prompts are many times faster, and limits derived from them would end a healthy server.
 */
export class LearnedSteps {
  readonly #memory: StepTimes;

  constructor(memory: StepTimes = ownMemory()) {
    this.#memory = memory;
  }

  /** Ms; null = not known yet. */
  slowestMs(model: string): number | null {
    return this.#memory.slowestMs(model);
  }

  /** Learns from the longest step since the last line, ms, and the most prompt tokens in one of its steps. */
  learn(model: string, ms: number, promptTokens: number): void {
    if (ms > 0 && (promptTokens >= WHOLE_STEP_TOKENS || this.slowestMs(model) !== null)) {
      this.#memory.onStep(model, ms);
    }
  }
}
