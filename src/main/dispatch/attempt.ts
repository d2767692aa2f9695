import { type CompletionChunk, type CompletionEnd, isServing } from '../../shared/domain';
import type { Backend, BackendRequest } from '../backends/backend';
import { childOf, nextOrAbort, within } from '../ports/bounded';
import type { Clock } from '../ports/clock';
import type { Slot } from '../queue/types';
import { isSoundChunk, soundEnd } from '../router/sound-figures';
import type { Candidate } from '../router/types';
import { backendDown, endedEarly, tookTooLong } from './failures';
import { deathIn } from './suspects/in-flight';
import type { Stay } from './suspects/stay';

/** A backend that was up a moment ago must be ready within this time when `mayWait` is false. */
const QUICK_READY_MS = 3000;
/** Time for a cut-off stream to unwind; after it the backend is asked what it still computes. */
const UNWIND_MS = 1000;

export interface AttemptOptions {
  backend: Backend;
  candidate: Candidate;
  slot: Slot;
  clock: Clock;
  /** Time limit for the backend in ms, from now on. */
  timeoutMs: number;
  /** Wait for the backend to come up; otherwise it must already be up. */
  mayWait: boolean;
  /** Called when a cancelled sequence may still be computed. */
  onDrain: (drained: Promise<void>) => void;
  /** Its stay on the backend; ends when the backend computes nothing for it any more. */
  stay: Stay;
}

/**
 * One request on one backend, from the slot to the end of the stream. The slot is given back exactly once, when the
 * attempt ends: freed if the backend has finished, draining if it was cut off.
 */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #controller: AbortController;
  readonly #dispose: () => void;
  /** True while the backend has the request and has not finished it. */
  #computing = false;
  #iterator: AsyncIterator<CompletionChunk> | null = null;
  #cancelTimer: () => void = () => {};
  #over = false;

  constructor(options: AttemptOptions, signal: AbortSignal) {
    this.#options = options;
    const { controller, dispose } = childOf(signal);
    this.#controller = controller;
    this.#dispose = dispose;
    controller.signal.addEventListener('abort', () => this.close(), { once: true });
    if (controller.signal.aborted) this.close();
  }

  /** Resolves when the backend is up; rejects quickly if it is down and `mayWait` is false. */
  async ready(): Promise<void> {
    const { backend, clock, mayWait, timeoutMs } = this.#options;
    this.#controller.signal.throwIfAborted();
    if (!mayWait && !isServing(backend.status().state)) throw backendDown(backend.id);
    const limit = mayWait ? timeoutMs : QUICK_READY_MS;
    await within(
      clock,
      limit,
      this.#controller.signal,
      (signal) => backend.ensureReady(signal),
      () => backendDown(backend.id),
    );
  }

  /** Yields the backend's chunks until its end. Throws `timeout`, `backend_failed` or the backend's own error. */
  async *stream(request: BackendRequest): AsyncGenerator<CompletionChunk, CompletionEnd, void> {
    const { backend, candidate, clock, timeoutMs } = this.#options;
    const { signal } = this.#controller;
    signal.throwIfAborted();
    this.#cancelTimer = clock.after(timeoutMs, () => {
      this.#controller.abort(tookTooLong(backend.id, candidate.model, timeoutMs));
    });
    this.#computing = true;
    this.#options.stay.sent();
    const iterator = backend.stream(request, signal)[Symbol.asyncIterator]();
    this.#iterator = iterator;
    try {
      for (;;) {
        const next = await nextOrAbort(iterator, signal);
        if (next.done) throw endedEarly(backend.id, candidate.model);
        if (next.value.type === 'end') {
          this.#options.stay.survived();
          this.#finished();
          return soundEnd(next.value.end);
        }
        if (isSoundChunk(next.value)) yield next.value;
      }
    } catch (error) {
      const died = deathIn(error);
      if (died) this.#options.stay.died(died);
      if (!signal.aborted) this.#finished();
      throw error;
    } finally {
      this.close();
      void this.#unwind();
    }
  }

  /** True when the slot has been given back. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Ends the attempt in any state. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    this.#dispose();
    const { backend, slot, stay, onDrain } = this.#options;
    if (!this.#computing) {
      stay.leave();
      slot.release();
      return;
    }
    this.#controller.abort();
    const drained = this.#unwind().then(() => backend.drained());
    slot.drain(drained);
    onDrain(drained);
    const leave = () => stay.leave();
    void drained.then(leave, leave);
  }

  /** Lets the stream end; only then the backend knows what it still computes. At most `UNWIND_MS`; never rejects. */
  #unwind(): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.after(UNWIND_MS, resolve);
      const ended = () => {
        cancel();
        resolve();
      };
      Promise.resolve(this.#iterator?.return?.()).then(ended, ended);
    });
  }

  #finished(): void {
    this.#computing = false;
    this.#options.stay.leave();
    this.close();
  }
}
