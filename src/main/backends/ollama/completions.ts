import type { CompletionChunk } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { Clock } from '../../ports/clock';
import type { BackendRequest } from '../backend';
import type { OllamaApi } from './ollama-api';
import { toCall } from './protocol';

export interface StreamLimits {
  /** Ms from sending a request to its first frame: waiting, model load and prompt evaluation. */
  firstFrameMs(model: string): number;
  /** Ms between two frames of an answer; a stopped runner would hold its stream open for ever. */
  stallMs: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = { firstFrameMs: () => 900_000, stallMs: 120_000 };

/** Counts requests in flight and cuts those of a server that has fallen silent. */
export class Completions {
  readonly #clock: Clock;
  readonly #limits: StreamLimits;
  readonly #onChange: () => void;
  #active = 0;

  constructor(clock: Clock, limits: StreamLimits, onChange: () => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onChange = onChange;
  }

  get active(): number {
    return this.#active;
  }

  /** @throws TandemError also `timeout`, when a limit was passed */
  async *run(api: OllamaApi, request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const silence = new AbortController();
    let cancelTimer = () => {};
    const watch = (ms: number) => {
      cancelTimer();
      cancelTimer = this.#clock.after(ms, () => silence.abort());
    };
    this.#count(1);
    watch(this.#limits.firstFrameMs(request.model));
    try {
      for await (const chunk of api.complete(toCall(request), AbortSignal.any([signal, silence.signal]))) {
        // A slow reader is not a silent server.
        cancelTimer();
        yield chunk;
        watch(this.#limits.stallMs);
      }
    } catch (error) {
      if (!silence.signal.aborted || signal.aborted) throw error;
      throw new TandemError(
        'timeout',
        `${request.model} gave no sign of life; try again or restart Ollama.`,
        {
          cause: error,
        },
      );
    } finally {
      cancelTimer();
      this.#count(-1);
    }
  }

  #count(change: number): void {
    this.#active += change;
    this.#onChange();
  }
}
