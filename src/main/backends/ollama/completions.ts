import type { CompletionChunk } from '../../../shared/domain';
import { isTandemError, TandemError } from '../../../shared/errors';
import type { HangLimitsView } from '../../../shared/incidents';
import type { Clock } from '../../ports/clock';
import type { BackendRequest } from '../backend';
import type { OllamaApi } from './ollama-api';
import { promptTokensByLength, toOllamaCall } from './protocol';
import { Recovery } from './recovery';
import type { Pulse } from './runners';
import { hangLimits, type StepTimes, type StreamLimits, UNLEARNED } from './stream-limits';
import { StreamWatch, type Verdict } from './stream-watch';

/** What is known of a server beside its API, and what can be done for it. */
export interface ServerCare {
  /** The model is a heavy one, which may take longer for everything. */
  heavy(model: string): boolean;
  /** How the model processes get on; null where they cannot be seen. */
  pulse(): Promise<Pulse | null>;
  /** Has the server this model in memory? Rejects when it does not answer in time. */
  isLoaded(model: string): Promise<boolean>;
  /**
   * Asks the server itself whether it is alive, which takes a while when it is not; one of ours that stays silent is
   * started again. @param again it has said so a moment ago, and nothing got better
   * @returns it was silent, so that nothing can be asked of it
   */
  restartSilent(again: boolean): Promise<boolean>;
  /**
   * Gets a process that stands still out of the way.
   * @param again doing so has not helped a moment ago
   * @returns a process was ended for it that nobody had paused, so that what it was asked may be to blame
   */
  cureStall(model: string, again: boolean): Promise<boolean>;
  /** Takes idle models of ours out of memory. @returns whether any went */
  makeRoom(model: string, signal: AbortSignal): Promise<boolean>;
  /** An installed model that is small enough; null = none. @param freeBytes null = not known */
  fitting(model: string, freeBytes: number | null): string | null;
  /** The only request was cancelled before its first token: its prompt may still be computed. */
  promptCancelled(): void;
}

/** A server of which nothing but its API is known. */
const STRANGER: ServerCare = {
  heavy: () => false,
  pulse: async () => null,
  isLoaded: async () => false,
  restartSilent: async () => false,
  cureStall: async () => false,
  makeRoom: async () => false,
  fitting: () => null,
  promptCancelled: () => {},
};

/**
 * Runs completions: counts those in flight, cuts the silent ones, and tries again what failed before its first token
 * and can be mended.
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
    const unlearnedMs = this.#limits.stallMs(this.#care.heavy(model));
    return hangLimits(this.#steps.slowestMs(model), unlearnedMs);
  }

  /** @throws TandemError whose `details.cause` says what the server failed of */
  async *run(api: OllamaApi, request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
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

  /** One try; after a load that got lost the request's own limit ends the second one. */
  async *#once(
    api: OllamaApi,
    request: BackendRequest,
    retried: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<CompletionChunk> {
    const { model } = request;
    const limits = this.#limits;
    const { stepMs } = this.hangLimits(model);
    const firstMs = limits.loadTimeoutMs(model) + limits.prefillMs(model, promptTokensByLength(request));
    // The call of a tool comes in one frame, however long it is.
    const stallMs = request.tools ? Math.max(stepMs, limits.stallMs(true)) : stepMs;
    const watch = new StreamWatch({
      clock: this.#clock,
      everyMs: limits.lookEveryMs,
      firstMs: retried ? Math.max(firstMs, request.timeoutMs ?? 0) : firstMs,
      stallMs,
      // What was learned of the steps of an answer says nothing about a load or a prompt.
      unprovenMs: Math.max(stallMs, limits.stallMs(this.#care.heavy(model))),
      silentMs: limits.silentMs,
      noRunnerMs: limits.noRunnerMs,
      pulse: () => this.#care.pulse(),
      isLoaded: () => this.#care.isLoaded(model),
    });
    let since: number | null = null;
    try {
      for await (const chunk of api.complete(
        toOllamaCall(request),
        AbortSignal.any([signal, watch.signal]),
      )) {
        watch.frame();
        if (since !== null && chunk.type !== 'end') this.#steps.onStep(model, this.#clock.now() - since);
        yield chunk;
        since = this.#clock.now();
        watch.wait();
      }
    } catch (error) {
      // The server may have answered after all in the moment in which it was cut off.
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
