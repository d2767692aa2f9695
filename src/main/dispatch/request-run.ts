import type { CompletionEnd, CompletionRequest } from '../../shared/completion';
import type { BackendId, Reason } from '../../shared/domain';
import { isTandemError, TandemError } from '../../shared/errors';
import type { JournalRow } from '../../shared/journal';
import { childOf } from '../ports/bounded';
import type { Clock } from '../ports/clock';
import type { Admitted, Outcome } from '../queue/types';
import type { Candidate } from '../router/types';

/** One accepted request while it runs: its record so far, its signal, and its single end. */
export class RequestRun {
  readonly request: CompletionRequest;
  readonly signal: AbortSignal;
  readonly record: JournalRow;
  /** The first backend that only returned the prompt. */
  echoedBy: BackendId | null = null;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #admitted: Admitted;
  readonly #onFinished: (record: JournalRow) => void;
  readonly #controller: AbortController;
  readonly #dispose: () => void;
  #ended = false;

  constructor(
    request: CompletionRequest,
    admitted: Admitted,
    options: { clock: Clock; onFinished: (record: JournalRow) => void },
    signal: AbortSignal,
  ) {
    this.request = request;
    this.#admitted = admitted;
    this.#clock = options.clock;
    this.#onFinished = options.onFinished;
    this.#startedAt = options.clock.now();
    this.record = emptyRecord(request, options.clock);
    const { controller, dispose } = childOf(signal);
    this.#controller = controller;
    this.#dispose = dispose;
    this.signal = controller.signal;
    // The request is settled for the caller at once, whatever the backend still does.
    this.signal.addEventListener('abort', () => this.fail(endOf(this.signal)), { once: true });
    admitted.onDismissed((reason) => controller.abort(reason));
  }

  get admitted(): Admitted {
    return this.#admitted;
  }

  addReasons(reasons: readonly Reason[]): void {
    for (const reason of reasons) {
      if (!this.record.reasons.includes(reason)) this.record.reasons.push(reason);
    }
  }

  /** The attempt that begins leaves out so many of the oldest turns; an earlier attempt's number no longer applies. */
  leftOut(turns: number): void {
    this.record.reasons = this.record.reasons.filter((reason) => !reason.startsWith('context:truncated-'));
    if (turns > 0) this.addReasons([`context:truncated-${turns}`]);
  }

  /** A backend has taken the request. */
  takenBy(candidate: Candidate): void {
    this.addReasons(candidate.reasons);
    this.record.backend = candidate.backend;
    this.record.model = candidate.model;
  }

  /** The event fields that say who answers and why. */
  label({ backend, model }: Candidate) {
    return { backend, model, reasons: [...this.record.reasons], queueMs: this.record.queueMs ?? 0 };
  }

  done(end: CompletionEnd): void {
    this.record.promptTokens = end.promptTokens;
    this.record.completionTokens = end.completionTokens;
    this.#finish({ kind: 'done' });
  }

  fail(error: TandemError): void {
    this.#finish(error.code === 'cancelled' ? { kind: 'cancelled' } : { kind: 'failed', code: error.code });
  }

  /** Ends what still runs; a request without an outcome counts as cancelled. */
  close(): void {
    this.#dispose();
    if (!this.#ended) this.#controller.abort(new TandemError('cancelled', 'The request was cancelled.'));
  }

  #finish(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#admitted.settle(outcome);
    this.record.outcome = outcome.kind;
    this.record.code = outcome.kind === 'failed' ? outcome.code : null;
    this.record.totalMs = Math.round(this.#clock.now() - this.#startedAt);
    this.#onFinished({ ...this.record, reasons: [...this.record.reasons] });
  }
}

/** Why a request was aborted: the reason given by the queue or the caller, else `cancelled`. */
export function endOf({ reason }: AbortSignal): TandemError {
  if (isTandemError(reason)) return reason;
  return new TandemError('cancelled', 'The request was cancelled.', { cause: reason });
}

/** The record of a request that was never accepted. */
export function rejectedRecord(request: CompletionRequest, error: TandemError, clock: Clock): JournalRow {
  return { ...emptyRecord(request, clock), outcome: 'rejected', code: error.code };
}

function emptyRecord(request: CompletionRequest, clock: Clock): JournalRow {
  return {
    id: request.id,
    at: clock.wall().getTime(),
    origin: request.origin,
    client: request.client,
    priority: request.priority,
    category: null,
    backend: null,
    model: null,
    reasons: [],
    outcome: 'cancelled',
    code: null,
    queueMs: null,
    ttftMs: null,
    totalMs: 0,
    promptTokens: null,
    completionTokens: null,
    replays: 0,
  };
}
