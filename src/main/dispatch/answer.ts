import type { CompletionChunk, CompletionEnd } from '../../shared/completion';
import { isServing } from '../../shared/domain';
import type { BackendRequest } from '../backends/backend';
import { childOf, nextOrAbort, within } from '../ports/bounded';
import { lastUserText } from '../router/categories';
import { fitToContext } from '../router/context';
import { isSoundChunk, soundEnd } from '../router/sound-figures';
import { PrefillWatch } from '../times/measured-times';
import { backendDown, endedEarly, onlyEchoed, tookTooLong } from './failures';
import type { MemoryPermit } from './memory-permit';
import type { Seat } from './seat';
import { deathIn } from './suspects/in-flight';
import type { TryContext } from './try-context';
import type { DispatchEvent } from './types';
import { VisibleText } from './visible-text';

/** A backend that was up a moment ago must be ready within this time when `mayWait` is false. */
const QUICK_READY_MS = 3000;
/** Time for a cut-off stream to unwind; after it the backend is asked what it still computes. */
const UNWIND_MS = 1000;

/**
 * Streams the backend's answer in the given slot. `view.visible` becomes true with the first visible part, `view.sent`
 * when the backend has the request. Returns false after a wait for memory, which holds no slot: nothing was sent, and
 * another slot is needed. Throws the attempt's failure, or `echo`; always releases the slot.
 */
export async function* answer(
  context: TryContext,
  seat: Seat,
  permit: MemoryPermit,
  view: { visible: boolean; sent: boolean },
): AsyncGenerator<DispatchEvent, boolean, void> {
  const { run, routed, candidate, backend, clock } = context;
  const attempt = new Attempt(context, seat, run.signal);
  try {
    if (context.mayWait && !isServing(backend.status().state))
      yield { type: 'recovering', failed: null, awaited: [backend.instance.id] };
    await attempt.ready();
    await permit.ask(() => attempt.close());
    if (attempt.isOver) return false;
    run.takenBy(candidate);
    view.sent = true;
    const takenAt = clock.now();
    const { request, droppedTurns } = prepare(context);
    yield { type: 'attempt', ...run.label(candidate), droppedTurns };
    // If a second server returns the prompt too, the user asked for that text.
    const echoAllowed = routed.echoAllowed || (run.echoedBy ?? candidate.backend) !== candidate.backend;
    const text = new VisibleText(lastUserText(run.request), echoAllowed);
    const started = (): DispatchEvent => {
      view.visible = true;
      const ttftMs = Math.round(clock.now() - takenAt);
      run.record.ttftMs = ttftMs;
      return { type: 'started', ...run.label(candidate), ttftMs };
    };
    const prefill = new PrefillWatch();
    const watch = (chunk: CompletionChunk) => prefill.onChunk(chunk, clock.now());
    const end = yield* pass(
      attempt.stream({ ...request, timeoutMs: context.plan.timeoutMs }),
      watch,
      text,
      view,
      started,
    );
    if (text.isEcho(end.reason)) {
      run.echoedBy ??= candidate.backend;
      if (!echoAllowed) throw onlyEchoed(candidate.backend, candidate.model);
      run.addReasons(['echo']);
    }
    const start = view.visible ? null : started();
    const evalMs = end.evalMs ?? clock.now() - takenAt - (run.record.ttftMs ?? 0);
    const answered = { backend: candidate.backend, name: candidate.model };
    context.measured.learn(answered, end, evalMs, prefill.measured());
    const rest = text.rest();
    run.done(end);
    if (start) yield start;
    if (rest) yield { type: 'text', text: rest };
    const { backend: id, model, reasons } = run.label(candidate);
    yield { type: 'end', end, backend: id, model, reasons };
    return true;
  } finally {
    attempt.close();
  }
}

/** Emits the chunks of a stream as events; text is held while it may still be an echo. */
async function* pass(
  chunks: AsyncGenerator<CompletionChunk, CompletionEnd, void>,
  watch: (chunk: CompletionChunk) => void,
  text: VisibleText,
  view: { visible: boolean },
  started: () => DispatchEvent,
): AsyncGenerator<DispatchEvent, CompletionEnd, void> {
  try {
    for (;;) {
      const next = await chunks.next();
      if (next.done) return next.value;
      watch(next.value);
      for (const event of text.eventsFor(next.value)) {
        if (event.type !== 'prefill' && !view.visible) yield started();
        yield event;
      }
    }
  } finally {
    await chunks.return?.({ reason: 'stop', promptTokens: 0, completionTokens: 0 });
  }
}

/** The request in the form that the candidate's model receives. */
function prepare({ run, snapshot, candidate }: TryContext): {
  request: BackendRequest;
  droppedTurns: number;
} {
  const known = snapshot.models.find(
    (model) => model.backend === candidate.backend && model.name === candidate.model,
  );
  const fitted = fitToContext(run.request, known?.contextLength ?? null);
  return {
    request: { ...run.request, model: candidate.model, messages: fitted.messages },
    droppedTurns: fitted.droppedTurns,
  };
}

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
