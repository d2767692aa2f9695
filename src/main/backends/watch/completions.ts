import type { CompletionChunk } from '../../../shared/completion';
import { isTandemError, TandemError } from '../../../shared/errors';
import type { HangLimitsView } from '../../../shared/incidents';
import type { Clock } from '../../ports/clock';
import type { BackendRequest } from '../backend';
import { promptTokensByLength } from '../dialects/ollama/request';
import { hangLimits, type StepTimes, UNLEARNED } from '../step-times';
import { Recovery } from './recovery';
import { type ServerCare, STRANGER } from './server-care';
import type { StreamLimits } from './stream-limits';
import { StreamWatch, type Verdict } from './stream-watch';

/** A server that answers requests. */
export interface Answers {
  answer(request: BackendRequest, signal: AbortSignal): AsyncIterable<CompletionChunk>;
}

/**
 * Runs completions: counts those in flight, cuts silent ones, and retries failures before the first token that can be
 * cured.
 */
export class Completions {
  readonly #clock: Clock;
  readonly #limits: StreamLimits;
  readonly #onChange: () => void;
  readonly #care: ServerCare;
  readonly #steps: StepTimes;
  #active = 0;

  constructor(
    clock: Clock,
    limits: StreamLimits,
    onChange: () => void,
    care: ServerCare = STRANGER,
    steps: StepTimes = UNLEARNED,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onChange = onChange;
    this.#care = care;
    this.#steps = steps;
  }

  get active(): number {
    return this.#active;
  }

  hangLimits(model: string): HangLimitsView {
    const { stallMs, leastStepMs } = this.#limits;
    return hangLimits(this.#steps.slowestMs(model), stallMs(this.#care.heavy(model)), null, leastStepMs);
  }

  /** @throws TandemError whose `details.cause` says why the server failed */
  async *run(api: Answers, request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const recovery = new Recovery({ clock: this.#clock, care: this.#care, limits: this.#limits }, request);
    let begun = false;
    this.#count(1);
    try {
      for (;;) {
        try {
          for await (const chunk of this.#once(api, request, recovery.retried, signal)) {
            begun = true;
            yield chunk;
          }
          return;
        } catch (error) {
          if (signal.aborted) throw error;
          if (begun) throw await recovery.afterBegin(error);
          await recovery.before(error, signal);
        }
      }
    } finally {
      if (signal.aborted && !begun && this.#active === 1) this.#care.promptCancelled();
      this.#count(-1);
    }
  }

  /** One attempt; the second one after a lost load may take as long as the request's own limit. */
  async *#once(
    api: Answers,
    request: BackendRequest,
    retried: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<CompletionChunk> {
    const { model } = request;
    const limits = this.#limits;
    const { stepMs } = this.hangLimits(model);
    const firstMs = limits.loadTimeoutMs(model) + limits.prefillMs(model, promptTokensByLength(request));
    // A tool call comes in one frame, however long it is.
    const stallMs = request.tools ? Math.max(stepMs, limits.stallMs(true)) : stepMs;
    const watch = new StreamWatch({
      clock: this.#clock,
      everyMs: limits.lookEveryMs,
      firstMs: retried ? Math.max(firstMs, request.timeoutMs ?? 0) : firstMs,
      stallMs,
      // Learned steps of an answer say nothing about a load or a prompt.
      unprovenMs: Math.max(stallMs, limits.stallMs(this.#care.heavy(model))),
      silentMs: limits.silentMs,
      noRunnerMs: limits.noRunnerMs,
      pulse: () => this.#care.pulse(),
      isLoaded: () => this.#care.isLoaded(model),
    });
    let since: number | null = null;
    try {
      for await (const chunk of api.answer(request, AbortSignal.any([signal, watch.signal]))) {
        watch.frame();
        if (since !== null && chunk.type !== 'end') this.#steps.onStep(model, this.#clock.now() - since);
        yield chunk;
        since = this.#clock.now();
        watch.wait();
      }
    } catch (error) {
      // The server may have answered at the moment when it was cut off.
      const cut = isTandemError(error) && error.code === 'cancelled' && !signal.aborted;
      throw cut && watch.verdict ? silence(model, watch.verdict, error) : error;
    } finally {
      watch.stop();
    }
  }

  #count(change: number): void {
    this.#active += change;
    this.#onChange();
  }
}

const SILENCE_WORDS: Readonly<Record<Verdict, string>> = {
  stalled: 'made no progress any more and was cut off; try again.',
  'load-timeout': 'gave no sign of life in the time for loading it; try again or choose a smaller model.',
  'load-died': 'ended while it was loaded; try again.',
};

function silence(model: string, verdict: Verdict, cause: unknown): TandemError {
  return new TandemError('backend_failed', `${model} ${SILENCE_WORDS[verdict]}`, {
    cause,
    details: { cause: verdict, model },
  });
}
