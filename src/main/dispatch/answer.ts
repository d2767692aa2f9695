import type { CompletionChunk, CompletionEnd } from '../../shared/completion';
import { isServing, type ModelInfo, type Reason } from '../../shared/domain';
import { isTandemError } from '../../shared/errors';
import type { BackendRequest } from '../backends/backend';
import type { Asked, MemoryGrant } from '../memory/memory-gate';
import { heldTokens } from '../router/candidates';
import { lastUserText } from '../router/categories';
import { contextOf, type FittedMessages, fitToContext } from '../router/context';
import type { RouterEvent } from '../router/types';
import { PrefillWatch } from '../times/measured-times';
import { Attempt } from './attempt';
import { onlyEchoed } from './failures';
import type { Seat } from './seat';
import type { TryContext } from './try-context';
import { VisibleText } from './visible-text';

/**
 * Streams the backend's answer in the given slot. `view.visible` becomes true with the first visible part, `view.sent`
 * when the backend has the request. Returns false after a wait for memory, which holds no slot: nothing was sent, and
 * another slot is needed. Throws the attempt's failure, or `echo`; always releases the slot.
 */
export async function* answer(
  context: TryContext,
  seat: Seat,
  leave: MemoryLeave,
  view: { visible: boolean; sent: boolean },
): AsyncGenerator<RouterEvent, boolean, void> {
  const { run, routed, candidate, backend, clock } = context;
  const attempt = new Attempt(context, seat, run.signal);
  try {
    if (context.mayWait && !isServing(backend.status().state))
      yield { type: 'recovering', failed: null, awaited: [backend.instance.id] };
    await attempt.ready();
    await leave.ask(() => attempt.close());
    if (attempt.isOver) return false;
    run.takenBy(candidate);
    view.sent = true;
    const takenAt = clock.now();
    const { request, droppedTurns } = prepare(context);
    run.leftOut(droppedTurns);
    yield { type: 'attempt', ...run.label(candidate), droppedTurns };
    // If a second server returns the prompt too, the user asked for that text.
    const echoAllowed = routed.echoAllowed || (run.echoedBy ?? candidate.backend) !== candidate.backend;
    const text = new VisibleText(lastUserText(run.request), echoAllowed);
    const started = (): RouterEvent => {
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
  started: () => RouterEvent,
): AsyncGenerator<RouterEvent, CompletionEnd, void> {
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

/** The request in the form that the candidate's model receives; without the oldest turns if the client allows that. */
function prepare(context: TryContext): { request: BackendRequest; droppedTurns: number } {
  const { run, candidate } = context;
  const known = modelOf(context);
  const { messages, droppedTurns } = fitted(context);
  const pinned = known?.pinnedContext;
  const request = { ...run.request, model: candidate.model, messages };
  return { request: pinned === undefined ? request : { ...request, pinnedContext: pinned }, droppedTurns };
}

function fitted(context: TryContext): FittedMessages {
  const { request } = context.run;
  const known = modelOf(context);
  const tokens = known && request.mayLeaveOut ? contextOf(known) : null;
  return fitToContext(request, tokens && tokens * context.contextShare);
}

/** Steps by which a conversation gets shorter after its server counted more tokens than were estimated. */
const SHORTER = 0.8;
const LEAST_SHARE = 0.01;

/** The same attempt with fewer turns after its server found them too long; null = not allowed, or none are left. */
export function shortened(context: TryContext, error: unknown): TryContext | null {
  if (!isTandemError(error) || error.code !== 'context_exceeded') return null;
  const before = fitted(context).droppedTurns;
  for (let share = context.contextShare * SHORTER; share > LEAST_SHARE; share *= SHORTER) {
    const next = { ...context, contextShare: share };
    if (fitted(next).droppedTurns > before) return next;
  }
  return null;
}

function modelOf({ snapshot, candidate }: TryContext): ModelInfo | undefined {
  return snapshot.models.find(
    (model) => model.backend === candidate.backend && model.name === candidate.model,
  );
}

/** Decides whether work may take memory now. */
export interface MemoryAuthority {
  /** See `MemoryGate.admit`. */
  admit(asked: Asked, signal: AbortSignal, onWait: () => void): Promise<MemoryGrant>;
}

/** Permission for one attempt to take memory; always granted without an authority. */
export class MemoryLeave {
  readonly #authority: MemoryAuthority | undefined;
  readonly #context: TryContext;
  #grant: MemoryGrant | null = null;

  constructor(authority: MemoryAuthority | undefined, context: TryContext) {
    this.#authority = authority;
    this.#context = context;
  }

  /**
   * Requests the permission unless it is already granted, and adds the decision to the run's reasons. Rejects with
   * `memory_critical`, or with the signal's reason.
   * @param onWait called before a wait of up to two minutes, so that the caller can release what it holds
   */
  async ask(onWait: () => void): Promise<void> {
    if (!this.#authority || this.#grant) return;
    const { run } = this.#context;
    try {
      this.#grant = await this.#authority.admit(askedBy(this.#context), run.signal, onWait);
      run.addReasons(this.#grant.reasons);
    } catch (error) {
      const reason = isTandemError(error) ? error.details.reason : null;
      if (typeof reason === 'string') run.addReasons([reason as Reason]);
      throw error;
    }
  }

  release(): void {
    this.#grant?.release();
    this.#grant = null;
  }
}

function askedBy(context: TryContext): Asked {
  const { run, candidate, hasNext, plan, snapshot } = context;
  const { request } = run;
  const { backend, model } = candidate;
  return {
    backend,
    model,
    purpose: 'request',
    tokens: heldTokens(backend, model, request, snapshot),
    contextTokens: modelOf(context)?.pinnedContext,
    expectedS: plan.wish.estimateMs / 1000,
    mayMove: hasNext && !request.strict,
    overruled: request.overruleMemory ?? false,
  };
}
