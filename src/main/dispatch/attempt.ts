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

/** A backend that was up a moment ago proves it within this time when it need not be waited for. */
const QUICK_READY_MS = 3000;
/** A cut-off stream has this long to unwind; then the backend is asked what it still computes. */
const UNWIND_MS = 1000;

export interface AttemptOptions {
  backend: Backend;
  candidate: Candidate;
  slot: Slot;
  clock: Clock;
  /** Ms from here on that the backend may take. */
  timeoutMs: number;
  /** Wait for the backend to come up; else it must be up already. */
  mayWait: boolean;
  /** Told when a cancelled sequence may still be computed. */
  onDrain: (drained: Promise<void>) => void;
  /** Its stay on the backend, left when nothing is computed for it any more. */
  stay: Stay;
}

/**
 * One request on one backend, from the slot to the end of the stream. The slot is given back exactly once, in the
 * moment in which the attempt ends: freed when the backend has finished, draining when it was cut off.
 */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #controller: AbortController;
  readonly #dispose: () => void;
  /** Has the backend been asked, without having finished? */
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

  /** Resolves when the backend is up; rejects soon if it is not and need not be waited for. */
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

  /** The backend's chunks up to its end. Throws `timeout`, `backend_failed` or the backend's own error. */
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

  /** Has it given its slot back? */
  get isOver(): boolean {
    return this.#over;
  }

  /** Ends the attempt in whatever state it is. */
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

  /** Lets the backend's stream end; only then does it know what is still computed. Never rejects, never waits long. */
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
