import type { DispatchEvent, Dispatcher } from '../../src/main/dispatch/types';
import type { CompletionRequest } from '../../src/shared/completion';

/** A step of a script: an event, an error to throw, or a wait that the test ends. */
export type Step = DispatchEvent | Error | { type: 'wait'; until: Promise<unknown> };

/** Replaces the router: each request gets the events of a script, and its outcome is recorded. */
export class ScriptedDispatcher implements Dispatcher {
  readonly requests: CompletionRequest[] = [];
  /** Resolves with the abort reason of the first request that is cancelled. */
  readonly cancelled: Promise<unknown>;
  /** Number of events consumed. */
  yielded = 0;
  /** Number of scripts that ran to their end. */
  completed = 0;
  #script: Step[] = [];
  #onCancelled: (reason: unknown) => void = () => {};

  constructor(script: Step[] = []) {
    this.#script = script;
    this.cancelled = new Promise((resolve) => {
      this.#onCancelled = resolve;
    });
  }

  play(script: Step[]): void {
    this.#script = script;
  }

  async *dispatch(
    request: CompletionRequest,
    signal: AbortSignal,
  ): AsyncGenerator<DispatchEvent, void, void> {
    this.requests.push(request);
    signal.addEventListener('abort', () => this.#onCancelled(signal.reason), { once: true });
    for (const step of this.#script) {
      if (signal.aborted) throw signal.reason;
      if (step instanceof Error) throw step;
      if (step.type === 'wait') await Promise.race([step.until, rejection(signal)]);
      else {
        this.yielded += 1;
        yield step;
      }
    }
    this.completed += 1;
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The events of a plain answer from MLX. */
export function answerOf(...texts: string[]): DispatchEvent[] {
  return [
    { type: 'routed', category: 'greeting', reasons: ['rule:greeting'] },
    { type: 'attempt', backend: 'mlx', model: 'starter', reasons: [], queueMs: 3 },
    {
      type: 'started',
      backend: 'mlx',
      model: 'starter',
      reasons: ['small-model'],
      queueMs: 3,
      ttftMs: 20,
    },
    ...texts.map((text): DispatchEvent => ({ type: 'text', text })),
    {
      type: 'end',
      end: { reason: 'stop', promptTokens: 11, completionTokens: 7, promptMs: 4, evalMs: 9 },
      backend: 'mlx',
      model: 'starter',
      reasons: ['rule:greeting', 'small-model'],
    },
  ];
}
