import type { CompletionRequest } from '../../shared/completion';
import { type BackendId, type BackendInstance, isServing } from '../../shared/domain';
import {
  downCodeOf,
  ERROR_CODES,
  type ErrorCode,
  isDownCode,
  TandemError,
  toTandemError,
} from '../../shared/errors';
import type { BackendStatus } from '../../shared/status';
import type { SlotWish } from '../queue/types';
import type { Candidate } from '../router/types';

/** Failures that another backend would repeat, or that no backend caused. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'bad_request',
  'bad_model_name',
  'body_too_large',
  'cancelled',
  'queue_timeout',
  'poison',
]);

const CAUSES: Readonly<Partial<Record<ErrorCode, string>>> = {
  backend_absent: 'absent',
  backend_failed: 'failed',
  memory_critical: 'memory',
  model_incomplete: 'bad-model',
  model_not_found: 'no-model',
};

/** Would another backend repeat this failure? */
export function isFinal(error: TandemError, request: CompletionRequest): boolean {
  if (error.code === 'model_not_found') return request.model.kind === 'named';
  return FINAL.has(error.code);
}

/** May it be gone once the backend is up again? */
export function isPassing(error: TandemError): boolean {
  // A server that streams without an end would do so again.
  const isPassingCode = error.code === 'backend_failed' || isDownCode(error.code);
  return isPassingCode && error.details.cause !== 'endless';
}

/**
 * One machine word for why a backend failed: the failure's own cause, else why its server went down, else the error
 * code. Becomes `fallback:<backend>-<cause>`.
 */
export function causeOf(error: TandemError, status: BackendStatus): string {
  const told = error.details.cause;
  if (typeof told === 'string') return word(told);
  const downReason = isServing(status.state) ? null : status.lastError?.code;
  if (isPassing(error) && downReason) return word(downReason);
  return isDownCode(error.code) ? 'down' : (CAUSES[error.code] ?? word(error.code));
}

export function backendDown({ id, title }: BackendInstance, cause?: unknown): TandemError {
  return new TandemError(
    downCodeOf(id),
    `${title} is not up. It is being restarted; try again in a moment.`,
    {
      cause,
      retryAfterS: 5,
      details: { backend: id },
    },
  );
}

export function tookTooLong({ id, title }: BackendInstance, model: string, ms: number): TandemError {
  const seconds = Math.round(ms / 1000);
  return new TandemError(
    'timeout',
    `${title} took longer than ${seconds} s with ${model}. Allow more time in settings, or choose a smaller model.`,
    { details: { backend: id, model, seconds } },
  );
}

/** A suspect timed out because other suspects ran all the time. */
export function noTurn(
  { id, title }: BackendInstance,
  { estimateMs }: Pick<SlotWish, 'estimateMs'>,
  ms: number,
): TandemError {
  const waitedS = Math.round(ms / 1000);
  return new TandemError(
    'queue_timeout',
    `${title} had no turn for this request in ${waitedS} s. Try again later.`,
    { retryAfterS: Math.max(1, Math.ceil(estimateMs / 1000)), details: { backend: id, waitedS } },
  );
}

export function onlyEchoed(backend: BackendId, model: string): TandemError {
  return new TandemError(
    'echo',
    `${model} only repeated the request. Rephrase it, or choose another model.`,
    {
      details: { backend, model },
    },
  );
}

export function endedEarly({ id, title }: BackendInstance, model: string): TandemError {
  return new TandemError('backend_failed', `${title} stopped in the middle of its answer. Try again.`, {
    details: { backend: id, model, cause: 'incomplete' },
  });
}

/** Converts what a backend threw; an abort that we did not request is the backend's failure. */
export function asFailure(thrown: unknown): TandemError {
  const error = toTandemError(thrown, 'backend_failed');
  if (error.code !== 'cancelled') return error;
  return new TandemError('backend_failed', 'The server broke the request off. Try again.', { cause: thrown });
}

/** For API clients a broken stream ends with an error, never like a complete answer. */
export function brokenOff(error: TandemError, from: Candidate): TandemError {
  if (error.code === 'timeout') return error;
  return new TandemError('backend_failed', `The answer broke off: ${error.message}`, {
    cause: error,
    details: { ...error.details, backend: from.backend, model: from.model },
  });
}

/** Two processes died during this request; a third is not risked. */
export function poisoned(cause?: unknown): TandemError {
  return new TandemError(
    'poison',
    'Two servers died while they computed this request, so it is not tried again for a day. Change it and send it again.',
    { cause },
  );
}

/** The error for a client that forbids fallback: 503 for a server's failure, the client's own failure unchanged. */
export function withoutFallback(error: TandemError, backend: BackendId): TandemError {
  if (ERROR_CODES[error.code].http < 500 || ERROR_CODES[error.code].http === 503) return error;
  return new TandemError(downCodeOf(backend), `${error.message} No other server was allowed.`, {
    cause: error,
    retryAfterS: 5,
    details: error.details,
  });
}

/** A cause in the form used in reasons; `exited` for a process that ended without evidence. */
function word(text: string): string {
  if (text === 'unknown') return 'exited';
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
