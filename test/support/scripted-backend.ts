import type { Backend, BackendRequest } from '../../src/main/backends/backend';
import { initialStatus } from '../../src/main/backends/status-board';
import type { Clock } from '../../src/main/ports/clock';
import { sleep } from '../../src/main/ports/clock';
import { Emitter } from '../../src/main/ports/emitter';
import type { CompletionChunk } from '../../src/shared/completion';
import {
  type BackendId,
  type BackendInstance,
  type BackendState,
  isServing,
  type ModelInfo,
  weightOf,
} from '../../src/shared/domain';
import { downCodeOf, TandemError } from '../../src/shared/errors';
import type { ExitCause } from '../../src/shared/incidents';
import type { BackendStatus } from '../../src/shared/status';
import { CAPABLE, instanceOf } from './backends';

/** One step of a scripted answer. */
export type Step =
  | CompletionChunk
  /** Takes this long, in ms of the test's clock. */
  | { type: 'pause'; ms: number }
  /** Fails here. */
  | { type: 'fail'; error: TandemError }
  /** The process dies here; the exit is reported before the stream breaks. */
  | { type: 'die'; cause: ExitCause; outside?: boolean }
  /** The stream ends, as when a process dies. */
  | { type: 'cut' }
  /** Never continues, even when aborted. */
  | { type: 'hang' };

export const END: CompletionChunk = {
  type: 'end',
  end: { reason: 'stop', promptTokens: 3, completionTokens: 20, evalMs: 100 },
};

/** Text in pieces and a normal end. */
export function says(...texts: string[]): Step[] {
  return [...texts.map((text) => ({ type: 'text', text }) as const), END];
}

/** A model for tests; size in billions of parameters. */
export function model(
  backend: BackendId,
  name: string,
  billions: number,
  more: Partial<ModelInfo> = {},
): ModelInfo {
  return {
    backend,
    name,
    sizeBytes: null,
    billions,
    quantisation: null,
    contextLength: null,
    weight: weightOf(billions),
    small: false,
    languages: null,
    remote: false,
    capabilities: ['completion'],
    modifiedAt: null,
    ...more,
  };
}

/** A backend in memory; a test controls its answers, health and drains. */
export class ScriptedBackend implements Backend {
  readonly instance: BackendInstance;
  readonly capabilities = CAPABLE;
  /** Requests that reached it, in order. */
  readonly requests: BackendRequest[] = [];
  /** Answers in order; the last one repeats. */
  script: ((request: BackendRequest) => Step[])[] = [() => says('fine')];
  running = 0;
  mostRunning = 0;
  restarts = 0;
  deaths = 0;
  readonly #clock: Clock;
  readonly #status = new Emitter<BackendStatus>();
  #state: BackendState = 'ready';
  #death: BackendStatus['lastError'] = null;
  #drained = Promise.withResolvers<void>();
  #holdsDrains = false;
  #up = Promise.withResolvers<void>();

  readonly onStatus = this.#status.subscribe;

  constructor(id: BackendId, clock: Clock) {
    this.instance = instanceOf(id);
    this.#clock = clock;
  }

  get state(): BackendState {
    return this.#state;
  }

  set state(state: BackendState) {
    this.#state = state;
    if (isServing(state)) this.#up.resolve();
    else this.#up = Promise.withResolvers();
    this.#status.emit(this.status());
  }

  /** Its process exits; it stays down until the test sets `state`. */
  die(cause: ExitCause, outside = false): void {
    if (!isServing(this.#state)) return;
    this.deaths += 1;
    this.#death = { code: cause, message: 'It ended.', at: this.deaths, outside };
    this.state = 'backoff';
  }

  /** From now on cancelled requests continue to compute until `finishDrains`. */
  holdDrains(): void {
    this.#holdsDrains = true;
    this.#drained = Promise.withResolvers();
  }

  finishDrains(): void {
    this.#holdsDrains = false;
    this.#drained.resolve();
  }

  status(): BackendStatus {
    const down = !isServing(this.#state);
    return {
      ...initialStatus(this.instance.id, 10),
      state: this.#state,
      ownership: 'managed',
      lastError: this.#death ?? (down ? { code: 'unknown', message: 'It ended.', at: 0 } : null),
      activeRequests: this.running,
    };
  }

  async start(): Promise<void> {}

  async relocate(): Promise<void> {}

  async models(): Promise<ModelInfo[]> {
    return [];
  }

  async ensureReady(signal?: AbortSignal): Promise<void> {
    if (isServing(this.#state)) return;
    if (this.#state === 'open') throw new TandemError(downCodeOf(this.instance.id), 'down');
    await Promise.race([
      this.#up.promise,
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    ]);
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const script = this.script.length > 1 ? this.script.shift() : this.script[0];
    this.requests.push(request);
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      for (const step of script?.(request) ?? []) {
        signal.throwIfAborted();
        if (step.type === 'pause') await sleep(this.#clock, step.ms, signal);
        else if (step.type === 'fail') throw step.error;
        else if (step.type === 'cut') return;
        else if (step.type === 'die') {
          this.die(step.cause, step.outside);
          throw new TandemError('backend_failed', 'The connection broke.');
        } else if (step.type === 'hang') await new Promise(() => {});
        else yield step;
      }
    } finally {
      this.running -= 1;
    }
  }

  drained(): Promise<void> {
    return this.#holdsDrains ? this.#drained.promise : Promise.resolve();
  }

  async restart(): Promise<void> {
    this.restarts += 1;
    this.state = 'ready';
  }

  async release(): Promise<void> {
    this.state = 'absent';
  }

  async stop(): Promise<void> {
    this.state = 'stopped';
  }
}
