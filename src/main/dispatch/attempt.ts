import type { CompletionChunk, CompletionEnd } from '../../shared/completion';
import { isServing } from '../../shared/domain';
import type { BackendRequest } from '../backends/backend';
import { childOf, nextOrAbort, within } from '../ports/bounded';
import { isSoundChunk, soundEnd } from '../router/sound-figures';
import { backendDown, endedEarly, tookTooLong } from './failures';
import type { Seat } from './seat';
import { deathIn } from './suspects/in-flight';
import type { TryContext } from './try-context';

/** A backend that was up a moment ago must be ready within this time when `mayWait` is false. */
const QUICK_READY_MS = 3000;
/** Time for a cut-off stream to unwind; after it the backend is asked what it still computes. */
const UNWIND_MS = 1000;

type AttemptContext = Pick<TryContext, 'backend' | 'candidate' | 'clock' | 'plan' | 'mayWait' | 'drains'>;

/**
 * One request on one backend, from the slot to the end of the stream. The slot is given back exactly once, when the
 * attempt ends: freed if the backend has finished, draining if it was cut off.
 */
export class Attempt {
  readonly #context: AttemptContext;
  readonly #seat: Seat;
  readonly #controller: AbortController;
  readonly #dispose: () => void;
  /** True while the backend has the request and has not finished it. */
  #computing = false;
  #iterator: AsyncIterator<CompletionChunk> | null = null;
  #cancelTimer: () => void = () => {};
  #over = false;

  constructor(context: AttemptContext, seat: Seat, signal: AbortSignal) {
    this.#context = context;
    this.#seat = seat;
    const { controller, dispose } = childOf(signal);
    this.#controller = controller;
    this.#dispose = dispose;
    controller.signal.addEventListener('abort', () => this.close(), { once: true });
    if (controller.signal.aborted) this.close();
  }

  /** Resolves when the backend is up; rejects quickly if it is down and `mayWait` is false. */
  async ready(): Promise<void> {
    const { backend, clock, mayWait, plan } = this.#context;
    this.#controller.signal.throwIfAborted();
    if (!mayWait && !isServing(backend.status().state)) throw backendDown(backend.instance);
    const limit = mayWait ? plan.timeoutMs : QUICK_READY_MS;
    await within(
      clock,
      limit,
      this.#controller.signal,
      (signal) => backend.ensureReady(signal),
      () => backendDown(backend.instance),
    );
  }

  /** Yields the backend's chunks until its end. Throws `timeout`, `backend_failed` or the backend's own error. */
  async *stream(request: BackendRequest): AsyncGenerator<CompletionChunk, CompletionEnd, void> {
    const { backend, candidate, clock } = this.#context;
    const { timeoutMs } = this.#context.plan;
    const { signal } = this.#controller;
    signal.throwIfAborted();
    this.#cancelTimer = clock.after(timeoutMs, () => {
      this.#controller.abort(tookTooLong(backend.instance, candidate.model, timeoutMs));
    });
    this.#computing = true;
    this.#seat.stay.sent();
    const iterator = backend.stream(request, signal)[Symbol.asyncIterator]();
    this.#iterator = iterator;
    try {
      for (;;) {
        const next = await nextOrAbort(iterator, signal);
        if (next.done) throw endedEarly(backend.instance, candidate.model);
        if (next.value.type === 'end') {
          this.#seat.stay.survived();
          this.#finished();
          return soundEnd(next.value.end);
        }
        if (isSoundChunk(next.value)) yield next.value;
      }
    } catch (error) {
      const died = deathIn(error);
      if (died) this.#seat.stay.died(died);
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
    const { backend, drains } = this.#context;
    const { slot, stay } = this.#seat;
    if (!this.#computing) {
      stay.leave();
      slot.release();
      return;
    }
    this.#controller.abort();
    const drained = this.#unwind().then(() => backend.drained());
    slot.drain(drained);
    drains.watch(backend.instance.id, drained);
    const leave = () => stay.leave();
    void drained.then(leave, leave);
  }

  /** Lets the stream end; only then the backend knows what it still computes. At most `UNWIND_MS`; never rejects. */
  #unwind(): Promise<void> {
    const { clock } = this.#context;
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
    this.#seat.stay.leave();
    this.close();
  }
}
