import type { CompletionRequest } from '../../shared/completion';
import type { BackendId, Reason } from '../../shared/domain';
import { type TandemError, toTandemError } from '../../shared/errors';
import type { JournalRow } from '../../shared/journal';
import type { BackendRegistry } from '../backends/registry';
import type { Logger } from '../ports/logger';
import type { RequestQueue } from '../queue/request-queue';
import type { Admitted } from '../queue/types';
import type { Candidate, RouteSnapshot } from '../router/types';
import type { MeasuredTimes } from '../times/measured-times';
import { answer } from './answer';
import { DrainWatch } from './drain-watch';
import { asFailure, brokenOff, causeOf, isFinal, poisoned, withoutFallback } from './failures';
import { Line } from './line';
import { type MemoryAuthority, MemoryPermit } from './memory-permit';
import { endOf, RequestRun, rejectedRecord } from './request-run';
import { RetryBudget } from './retry-budget';
import { awayFromKilled, type RoutingOptions, routingOf } from './routing';
import { type Moved, takeSeat } from './seat';
import { MAX_DEATHS } from './suspects/fingerprints';
import { InFlight } from './suspects/in-flight';
import { planFor, type Routed, type TryContext } from './try-context';
import type { DispatchEvent, Dispatcher } from './types';

export interface RequestDispatcherOptions extends RoutingOptions {
  queue: RequestQueue;
  backends: BackendRegistry;
  measured: MeasuredTimes;
  /** Decides whether work may take memory; without it everything may. */
  memory?: MemoryAuthority;
  /** Called exactly once per request, including rejected ones, when it is settled. Must not throw. */
  onFinished: (record: JournalRow) => void;
}

/** How one candidate ended; a thrown error is final for the request. */
type Tried =
  | { kind: 'done' }
  | { kind: 'failed'; error: TandemError; cause: string; visible: boolean; sent: boolean }
  | Moved;

type Failed = Extract<Tried, { kind: 'failed' }>;

/**
 * Runs each request: admission, route, slot, backend, and the next backend when one fails. Every accepted request is
 * settled exactly once, and its record is reported at the same moment.
 */
export class RequestDispatcher implements Dispatcher {
  readonly #options: RequestDispatcherOptions;
  readonly #drains: DrainWatch;
  readonly #inFlight: InFlight;
  readonly #budget: RetryBudget;
  readonly #logger: Logger;

  constructor(options: RequestDispatcherOptions) {
    this.#options = options;
    this.#drains = new DrainWatch(options.clock);
    this.#inFlight = new InFlight(options.backends, options.fingerprints);
    this.#budget = new RetryBudget(options.clock);
    this.#logger = options.logger.child('dispatch');
  }

  async *dispatch(
    request: CompletionRequest,
    signal: AbortSignal,
  ): AsyncGenerator<DispatchEvent, void, void> {
    signal.throwIfAborted();
    const run = new RequestRun(request, this.#admit(request), this.#options, signal);
    try {
      yield* this.#serve(run);
    } catch (thrown) {
      const error = run.signal.aborted ? endOf(run.signal) : toTandemError(thrown);
      run.fail(error);
      throw error;
    } finally {
      run.close();
    }
  }

  /** Is this backend computing a request equal to one that was in flight when a process died? */
  suspectInFlight(backend: BackendId): boolean {
    return this.#inFlight.suspectOn(backend);
  }

  #admit(request: CompletionRequest): Admitted {
    const { id, client, priority } = request;
    try {
      const admitted = this.#options.queue.admit({
        id,
        client,
        priority,
        rateLimited: request.rateLimited ?? false,
      });
      this.#budget.earn();
      return admitted;
    } catch (thrown) {
      const error = toTandemError(thrown);
      this.#options.onFinished(rejectedRecord(request, error, this.#options.clock));
      throw error;
    }
  }

  async *#serve(run: RequestRun): AsyncGenerator<DispatchEvent, void, void> {
    const routing = await routingOf(run, this.#options);
    const { routed, snapshot } = routing;
    run.record.category = routed.category;
    run.addReasons(routed.reasons);
    yield { type: 'routed', category: routed.category, reasons: [...run.record.reasons] };
    if (routed.kind === 'refused') throw routed.error;
    yield* this.#tryInOrder(run, awayFromKilled(run, routed, routing, this.#options.fingerprints), snapshot);
  }

  /** Tries the candidates until one answers; `Tried` decides what follows. */
  async *#tryInOrder(
    run: RequestRun,
    routed: Routed,
    snapshot: RouteSnapshot,
  ): AsyncGenerator<DispatchEvent, void, void> {
    const { request } = run;
    const suspicion = () => this.#options.fingerprints.of(request);
    const line = this.#lineFor(run, routed, snapshot);
    for (let current = yield* line.shift(run.signal); current; ) {
      const tried = yield* this.#try(this.#contextOf(run, routed, snapshot, line, current));
      if (tried.kind === 'done') return;
      if (suspicion().deaths >= MAX_DEATHS) throw poisoned(tried.kind === 'failed' ? tried.error : undefined);
      if (tried.kind === 'moved') {
        run.addReasons([`fallback:${current.backend}-${tried.why}`]);
        current = yield* line.shift(run.signal);
        continue;
      }
      const { error } = tried;
      if (isFinal(error, request)) throw error;
      if (request.strict) throw tried.visible ? error : withoutFallback(error, current.backend);
      // No two answers are exactly alike, so a stream that a client has partly received cannot continue elsewhere.
      if (tried.visible && request.origin !== 'chat') throw brokenOff(error, current);
      const next = yield* line.after(current, tried, run.signal);
      if (!next) throw error;
      yield* this.#fallBack(run, current, next, tried);
      current = next;
    }
  }

  #lineFor(run: RequestRun, routed: Routed, snapshot: RouteSnapshot): Line {
    const { backends, clock, measured, fingerprints } = this.#options;
    return new Line({
      candidates: routed.candidates,
      backends,
      budget: this.#budget,
      clock,
      killed: () => fingerprints.of(run.request).killed,
      limitMs: (candidate) => planFor({ run, routed, snapshot, measured }, candidate).timeoutMs,
      onPassedOver: ({ backend }) => {
        const isOpen = backends.get(backend).status().state === 'open';
        run.addReasons([`fallback:${backend}-down`, ...(isOpen ? (['breaker:open'] as const) : [])]);
      },
    });
  }

  async *#fallBack(
    run: RequestRun,
    from: Candidate,
    to: Candidate,
    failed: Failed,
  ): AsyncGenerator<DispatchEvent, void, void> {
    const reason: Reason = `fallback:${from.backend}-${failed.cause}`;
    run.addReasons([reason]);
    if (failed.sent) run.record.replays += 1;
    this.#logger.warn('fallback', {
      id: run.request.id,
      from: from.backend,
      to: to.backend,
      cause: failed.cause,
    });
    const { cause } = failed;
    yield failed.visible
      ? { type: 'break', from: from.backend, to: to.backend, reason: `${from.backend}-${cause}` }
      : { type: 'recovering', failed: { backend: from.backend, cause }, awaited: [] };
  }

  #contextOf(
    run: RequestRun,
    routed: Routed,
    snapshot: RouteSnapshot,
    line: Line,
    candidate: Candidate,
  ): TryContext {
    const { backends, clock, measured, fingerprints } = this.#options;
    return {
      run,
      routed,
      snapshot,
      candidate,
      backend: backends.get(candidate.backend),
      hasNext: line.hasNext,
      mayWait: !run.request.strict && line.isLast(candidate),
      plan: planFor({ run, routed, snapshot, measured }, candidate),
      clock,
      measured,
      fingerprints,
      drains: this.#drains,
      inFlight: this.#inFlight,
    };
  }

  async *#try(context: TryContext): AsyncGenerator<DispatchEvent, Tried, void> {
    const { run, backend } = context;
    const view = { visible: false, sent: false };
    const permit = new MemoryPermit(this.#options.memory, context);
    try {
      // A wait for memory releases the slot, so another one is acquired after it.
      for (;;) {
        const seat = yield* takeSeat(context);
        if (seat.kind === 'moved') return seat;
        if (yield* answer(context, seat, permit, view)) return { kind: 'done' };
      }
    } catch (thrown) {
      if (run.signal.aborted) throw thrown;
      const error = asFailure(thrown);
      const cause = causeOf(error, backend.status());
      return { kind: 'failed', error, cause, visible: view.visible && !run.request.whole, sent: view.sent };
    } finally {
      permit.release();
    }
  }
}
