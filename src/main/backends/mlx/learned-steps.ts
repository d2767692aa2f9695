/** Prompt tokens from which a step counts as a whole one: half of what the server takes at once. */
const WHOLE_STEP_TOKENS = 64;

/** Where the slowest step of each model is remembered. */
export interface StepMemory {
  /** Ms; null = none is known. */
  slowestMs(model: string): number | null;
  /** Told of the longest step in each second of work. */
  onStep(model: string, ms: number): void;
}

/** A memory that lasts as long as the backend. */
function ownMemory(): StepMemory {
  const slowest = new Map<string, number>();
  return {
    slowestMs: (model) => slowest.get(model) ?? null,
    onStep: (model, ms) => void slowest.set(model, Math.max(ms, slowest.get(model) ?? 0)),
  };
}

/**
 * The slowest step of each model. Nothing is taken in before a whole piece of a prompt was computed in one step: tokens
 * of an answer and short prompts are many times quicker, and limits made of them would end a healthy server.
 */
export class LearnedSteps {
  readonly #memory: StepMemory;

  constructor(memory: StepMemory = ownMemory()) {
    this.#memory = memory;
  }

  /** Ms; null = not known yet. */
  slowestMs(model: string): number | null {
    return this.#memory.slowestMs(model);
  }

  /** Takes in the longest step since the last line, ms, and the most prompt tokens that one of its steps had. */
  learn(model: string, ms: number, promptTokens: number): void {
    if (ms > 0 && (promptTokens >= WHOLE_STEP_TOKENS || this.slowestMs(model) !== null)) {
      this.#memory.onStep(model, ms);
    }
  }
}
