import { isTandemError, TandemError } from '../../../shared/errors';
import { type Clock, sleep } from '../../ports/clock';
import type { BackendRequest } from '../backend';
import { callFailure } from '../dialects/ollama/failures';
import type { ServerCare } from './server-care';
import type { StreamLimits } from './stream-limits';

interface RecoveryPorts {
  clock: Clock;
  care: ServerCare;
  limits: StreamLimits;
}

/** Delay between two retries while the server's queue is full: doubled each time, up to the ceiling. */
const QUEUE_FIRST_MS = 250;
const QUEUE_CEILING_MS = 4000;
/** Share of the request's own time that may be spent waiting for the server's queue. */
const QUEUE_SHARE = 0.9;
const QUEUE_RETRY_AFTER_S = 10;
const MEMORY_RETRY_AFTER_S = 30;
const GIGABYTE = 1e9;

/** Failures without any output. */
const SILENCES: ReadonlySet<unknown> = new Set(['stalled', 'load-died', 'load-timeout']);

/** Chooses the cure for failures of one request. Each cure is tried once; only a full queue is retried repeatedly. */
export class Recovery {
  readonly #ports: RecoveryPorts;
  readonly #request: BackendRequest;
  readonly #startedAt: number;
  #queueMs = QUEUE_FIRST_MS;
  #retried = false;
  #roomMade = false;

  constructor(ports: RecoveryPorts, request: BackendRequest) {
    this.#ports = ports;
    this.#request = request;
    this.#startedAt = ports.clock.now();
  }

  /** A cure was tried, so the next failure is final. */
  get retried(): boolean {
    return this.#retried;
  }

  /** Call before the first output: resolves when the request should be sent again, else rejects. */
  async before(error: unknown, signal: AbortSignal): Promise<void> {
    await this.#refuseSilent(error);
    switch (causeOf(error)) {
      case 'queue-full':
        return this.#awaitPlace(error, signal);
      case 'memory':
        return this.#makeRoom(error, signal);
      case 'stalled':
        return this.#afterStall(error);
      case 'load-died':
        // The error text gives no reason; if it was memory, making room helps.
        await this.#ports.care.makeRoom(this.#request.model, signal).catch(() => {});
        return this.#again(error);
      case 'load-timeout':
        return this.#again(error);
      default:
        throw error;
    }
  }

  /** Call after the first output, when no retry is possible. Resolves with the failure to report. */
  async afterBegin(error: unknown): Promise<unknown> {
    try {
      await this.#refuseSilent(error);
    } catch (silent) {
      return silent;
    }
    if (causeOf(error) !== 'stalled') return error;
    const { processEnded } = await this.#ports.care.cureStall(this.#request.model, false);
    return withProcessEnded(error, processEnded);
  }

  /** What looks like a hung model process may be a hung server, which no other cure fixes. */
  async #refuseSilent(error: unknown): Promise<void> {
    if (!SILENCES.has(causeOf(error))) return;
    if (await this.#ports.care.restartSilent(this.#retried)) throw silentServer(error);
  }

  /** Without a cure a second attempt would only meet the same stuck process. */
  async #afterStall(error: unknown): Promise<void> {
    const { cured, processEnded } = await this.#ports.care.cureStall(this.#request.model, this.#retried);
    const failure = withProcessEnded(error, processEnded);
    if (!cured) throw failure;
    this.#again(failure);
  }

  #again(error: unknown): void {
    if (this.#retried) throw error;
    this.#retried = true;
  }

  async #awaitPlace(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, limits } = this.#ports;
    const { timeoutMs } = this.#request;
    const allowed = timeoutMs === undefined ? limits.queueMs : timeoutMs * QUEUE_SHARE;
    if (clock.now() - this.#startedAt + this.#queueMs > allowed) throw queueFull(error);
    await sleep(clock, this.#queueMs, signal).catch((reason) => {
      throw callFailure(reason, signal);
    });
    this.#queueMs = Math.min(this.#queueMs * 2, QUEUE_CEILING_MS);
  }

  async #makeRoom(error: unknown, signal: AbortSignal): Promise<void> {
    const { care } = this.#ports;
    const { model } = this.#request;
    if (!this.#roomMade && (await care.makeRoom(model, signal).catch(() => false))) {
      this.#roomMade = true;
      return;
    }
    throw doesNotFit(error, model, care);
  }
}

/** The failure, with the fact whether a process was ended. */
function withProcessEnded(error: unknown, processEnded: boolean): unknown {
  if (!isTandemError(error)) return error;
  return new TandemError(error.code, error.message, {
    cause: error.cause,
    details: { ...error.details, processEnded },
  });
}

function causeOf(error: unknown): unknown {
  return isTandemError(error) ? error.details.cause : null;
}

/** Makes the router send the request again: here once the server is back, or elsewhere. */
export function silentServer(cause: unknown): TandemError {
  return new TandemError('ollama_down', 'Ollama does not answer any more and is started again.', { cause });
}

/** The server is alive, or is not ours to restart; a model that may run elsewhere gets no request. */
export function undescribed(model: string, cause: unknown): TandemError {
  return new TandemError(
    'backend_failed',
    `Ollama did not say in time whether ${model} runs on this machine, so it was not asked; try again.`,
    { cause, details: { model } },
  );
}

function queueFull(cause: unknown): TandemError {
  return new TandemError(
    'queue_full',
    `Ollama has more requests waiting than it takes. Try again in ${QUEUE_RETRY_AFTER_S} s.`,
    { cause, retryAfterS: QUEUE_RETRY_AFTER_S, details: { cause: 'queue-full' } },
  );
}

function doesNotFit(cause: unknown, model: string, care: ServerCare): TandemError {
  const { neededBytes = null, freeBytes = null } = isTandemError(cause) ? cause.details : {};
  const needed = typeof neededBytes === 'number' ? neededBytes : null;
  const free = typeof freeBytes === 'number' ? freeBytes : null;
  const fits = care.fitting(model, free);
  const sizes = [
    needed === null ? '' : ` It needs ${gigabytes(needed)}`,
    free === null ? '' : `, and ${gigabytes(free)} are free`,
  ].join('');
  const cure = fits === null ? 'Choose a smaller model' : `${fits} would fit; choose it`;
  return new TandemError(
    'memory_critical',
    `${model} does not fit into memory now.${sizes}${sizes && '.'} ${cure}, or close other programs and try again.`,
    {
      cause,
      retryAfterS: MEMORY_RETRY_AFTER_S,
      details: { cause: 'memory', model, neededBytes: needed, freeBytes: free, fits },
    },
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / GIGABYTE).toFixed(1)} GB`;
}
