import { type BackendId, isServing } from '../../shared/domain';
import type { TandemError } from '../../shared/errors';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import { childOf, within } from '../ports/bounded';
import type { Clock } from '../ports/clock';
import type { Candidate } from '../router/types';
import { backendDown, isPassing } from './failures';
import type { RetryBudget } from './retry-budget';
import type { DispatchEvent } from './types';

type Recovering = Extract<DispatchEvent, { type: 'recovering' }>;

/** How a candidate failed. */
export interface Failure {
  error: TandemError;
  /** One machine word for the failure. */
  cause: string;
  /** The backend had received the request. */
  sent: boolean;
}

interface LineOptions {
  candidates: readonly Candidate[];
  backends: BackendRegistry;
  budget: RetryBudget;
  clock: Clock;
  /** Backends whose process died during this request, of a cause that requests can trigger. Read after each failure. */
  killed: () => ReadonlySet<BackendId>;
  /** Longest wait for this candidate's backend, ms. */
  limitMs: (candidate: Candidate) => number;
  /** Its backend was waited for, but another one was up first, or it did not come up in time. */
  onPassedOver: (candidate: Candidate) => void;
}

/**
 * The candidates of one request in the order of attempts, and what happens when all have failed. When no backend
 * serves, the first one up is next, so one slow backend holds up no request. All waits are outside the queue: a request
 * that waits for a dead backend holds no slot.
 */
export class Line {
  readonly #options: LineOptions;
  #waiting: Candidate[];
  /** No other backend served, so all candidates got one more attempt. */
  #lastRound = false;
  /** The budget was spent, so the request has waited once for its own backend. */
  #heldBack = false;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#waiting = [...options.candidates];
  }

  get hasNext(): boolean {
    return this.#waiting.length > 0;
  }

  /** Is no other backend left, now or in a last round? */
  isLast({ backend }: Candidate): boolean {
    if (this.hasNext) return false;
    const guilty = this.#options.killed();
    const others = this.#options.candidates.filter((other) => other.backend !== backend);
    return this.#lastRound || others.every((other) => guilty.has(other.backend));
  }

  /**
   * The next candidate, ignoring failures; null when there is none. Waits for all with `waitForReady` together; emits
   * `recovering` before the wait unless one serves now. Throws when none comes up and no other candidate is left.
   */
  async *shift(
    signal: AbortSignal,
    failed: Recovering['failed'] = null,
  ): AsyncGenerator<Recovering, Candidate | null, void> {
    const [next] = this.#waiting;
    if (!next?.waitForReady) return next ? this.#take(next) : null;
    const awaited = this.#waiting.filter(
      ({ backend, waitForReady }, index) =>
        waitForReady && this.#waiting.findIndex((one) => one.backend === backend) === index,
    );
    if (!awaited.some((candidate) => this.#serves(candidate)))
      yield { type: 'recovering', failed, awaited: awaited.map(({ backend }) => backend) };
    try {
      const up = await this.#firstUp(awaited, signal);
      const first = awaited.find(({ backend }) => backend === up) ?? next;
      if (first !== next) this.#options.onPassedOver(next);
      return this.#take(first);
    } catch (error) {
      signal.throwIfAborted();
      this.#lastRound = true;
      this.#waiting = this.#waiting.filter(({ waitForReady }) => !waitForReady);
      if (!this.hasNext) throw error;
      this.#options.onPassedOver(next);
      return yield* this.shift(signal, failed);
    }
  }

  /**
   * The candidate to try after a failure; null when none is left. Leaves out a backend that died during the request and
   * prefers one that serves. A replay takes from the budget; when that is spent, the request waits for its own backend
   * or for the budget, whichever comes first. Emits `recovering` before each wait. Throws when no backend comes up.
   */
  async *after(
    current: Candidate,
    { error, cause, sent }: Failure,
    signal: AbortSignal,
  ): AsyncGenerator<Recovering, Candidate | null, void> {
    const { budget, killed } = this.#options;
    const failed = { backend: current.backend, cause };
    const guilty = killed();
    this.#waiting = this.#waiting.filter(({ backend }) => !guilty.has(backend));
    if (!this.#serving() && !this.#lastRound && isPassing(error)) {
      this.#lastRound = true;
      this.#waiting = this.#innocent(guilty, current);
    }
    if (!this.hasNext) return null;
    if (sent && !budget.take()) {
      const mayReturn = !guilty.has(current.backend) && !this.#serves(current) && !this.#heldBack;
      yield { type: 'recovering', failed, awaited: mayReturn ? [current.backend] : [] };
      if (!mayReturn) await budget.taken(signal);
      else if (await this.#isBackBeforePaid(current, signal)) return current;
    }
    const next = this.#serving();
    if (next) return this.#take(next);
    this.#waiting = this.#waiting.map((candidate) => ({ ...candidate, waitForReady: true }));
    return yield* this.shift(signal, failed);
  }

  /** Waits for its own backend and for the budget together; true when the backend is up first. */
  async #isBackBeforePaid(current: Candidate, signal: AbortSignal): Promise<boolean> {
    this.#heldBack = true;
    const { controller, dispose } = childOf(signal);
    const paid = this.#options.budget.taken(controller.signal).then(() => false);
    const back = this.#firstUp([current], controller.signal).then(() => true);
    try {
      // If the backend does not come up, wait for the budget.
      return await Promise.race([paid, back.catch(() => paid)]);
    } finally {
      controller.abort();
      dispose();
    }
  }

  async #firstUp(candidates: readonly Candidate[], signal: AbortSignal): Promise<BackendId> {
    const { backends, clock, limitMs } = this.#options;
    const awaited = candidates.map((candidate) => ({
      backend: backends.get(candidate.backend),
      limitMs: limitMs(candidate),
    }));
    return (await firstUp(clock, awaited, signal)).instance.id;
  }

  /** Candidates whose backend did not die during the request; without any, the first choice all the same. */
  #innocent(guilty: ReadonlySet<BackendId>, current: Candidate): Candidate[] {
    const { candidates } = this.#options;
    const innocent = candidates.filter(({ backend }) => !guilty.has(backend));
    return innocent.length > 0 ? innocent : [candidates[0] ?? current];
  }

  #take(next: Candidate): Candidate {
    this.#waiting = this.#waiting.filter((candidate) => candidate !== next);
    return { ...next, waitForReady: false };
  }

  #serving(): Candidate | undefined {
    return this.#waiting.find((candidate) => this.#serves(candidate));
  }

  #serves({ backend }: Candidate): boolean {
    return isServing(this.#options.backends.get(backend).status().state);
  }
}

/** A backend to wait for, and its limit in ms. */
interface Awaited {
  backend: Backend;
  limitMs: number;
}

/**
 * Resolves with the first of these backends that is up; on a tie the earlier in the list. When none comes up, rejects
 * with the failure of the first in the list; on abort with the signal's reason. Ends all waits when it settles.
 */
async function firstUp(clock: Clock, awaited: readonly Awaited[], signal: AbortSignal): Promise<Backend> {
  const { controller, dispose } = childOf(signal);
  const waits = awaited.map(async ({ backend, limitMs }) => {
    await within(
      clock,
      limitMs,
      controller.signal,
      (inner) => backend.ensureReady(inner),
      () => backendDown(backend.instance),
    );
    return backend;
  });
  try {
    return await Promise.any(waits);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    controller.abort();
    dispose();
  }
}
