import { type BackendId, isServing } from '../../shared/domain';
import type { TandemError } from '../../shared/errors';
import type { BackendRegistry } from '../backends/registry';
import { isPassing } from './failures';
import type { RetryBudget } from './retry-budget';
import type { Candidate } from './types';

/** How a candidate failed. */
export interface Failure {
  error: TandemError;
  /** The backend had been given the request. */
  sent: boolean;
}

interface LineOptions {
  candidates: readonly Candidate[];
  backends: BackendRegistry;
  budget: RetryBudget;
  /** Backends whose process died under this request, of a cause that a request can have. Asked after each failure. */
  killed: () => ReadonlySet<BackendId>;
}

/** The candidates of one request in the order in which they are tried, and what stands in when all have failed. */
export class Line {
  readonly #options: LineOptions;
  #waiting: Candidate[];
  /** Nothing else was left, so the first choice was given one more go. */
  #lastRound = false;
  /** The budget was spent, so it waited once for its own backend. */
  #heldBack = false;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#waiting = [...options.candidates];
  }

  get hasNext(): boolean {
    return this.#waiting.length > 0;
  }

  /** The next candidate without regard to failures. */
  shift(): Candidate | undefined {
    return this.#waiting.shift();
  }

  /**
   * Who is tried after a failure; null when nobody is left. A backend that died under the request is left out, one
   * that serves comes first. A replay costs a part of the budget: without it, the request waits for its own backend.
   */
  async after(current: Candidate, { error, sent }: Failure, signal: AbortSignal): Promise<Candidate | null> {
    const { budget, killed } = this.#options;
    const guilty = killed();
    this.#waiting = this.#waiting.filter(({ backend }) => !guilty.has(backend));
    if (this.#waiting.length === 0 && !this.#lastRound && isPassing(error) && !current.waitForReady) {
      this.#lastRound = true;
      this.#waiting.push({ ...this.#firstChoice(guilty, current), waitForReady: true });
    }
    const next = this.#waiting.find(({ backend }) => this.#serves(backend)) ?? this.#waiting[0];
    if (!next) return null;
    if (sent && !budget.take()) {
      const mayReturn = !guilty.has(current.backend) && !this.#serves(current.backend);
      if (mayReturn && !this.#heldBack) {
        this.#heldBack = true;
        return { ...current, waitForReady: true };
      }
      await budget.taken(signal);
    }
    this.#waiting = this.#waiting.filter((candidate) => candidate !== next);
    return next;
  }

  #firstChoice(guilty: ReadonlySet<BackendId>, current: Candidate): Candidate {
    const { candidates } = this.#options;
    return candidates.find(({ backend }) => !guilty.has(backend)) ?? candidates[0] ?? current;
  }

  #serves(backend: BackendId): boolean {
    return isServing(this.#options.backends.get(backend).status().state);
  }
}
