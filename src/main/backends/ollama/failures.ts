import { TandemError } from '../../../shared/errors';

/** What went wrong, out of whatever the client, fetch or the server threw. */
interface Cause {
  status: number | null;
  text: string;
  /** No connection at all. */
  down: boolean;
}

function causeOf(error: unknown): Cause {
  const status = (error as { status_code?: unknown }).status_code;
  const code = (error as { cause?: { code?: unknown } }).cause?.code;
  return {
    status: typeof status === 'number' ? status : null,
    text: error instanceof Error ? error.message : String(error),
    down: code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT',
  };
}

/** Turns what a call threw into one of our errors. */
export function callFailure(error: unknown, signal: AbortSignal): TandemError {
  if (error instanceof TandemError) return error;
  if (signal.aborted) return new TandemError('cancelled', 'The request was cancelled.', { cause: error });
  const { status, text, down } = causeOf(error);
  if (down) {
    return new TandemError('ollama_down', 'Ollama does not answer; it restarts by itself, or start it.', {
      cause: error,
    });
  }
  if (status !== null) return refused(status, text, error);
  return new TandemError('backend_failed', 'The connection to Ollama broke; try again.', { cause: error });
}

/** Turns an error status into one of our errors, with Ollama's own words where they name the cure. */
export async function statusFailure(response: Response, model: string): Promise<TandemError> {
  const body = (await response.json().catch(() => null)) as { error?: unknown } | null;
  // A broken model file gives a 500 with no body at all.
  const text = typeof body?.error === 'string' ? body.error : `status ${response.status} for ${model}`;
  return refused(response.status, text, undefined);
}

function refused(status: number, text: string, cause: unknown): TandemError {
  const words = text.slice(0, 300);
  if (status === 404) return new TandemError('model_not_found', words, { cause });
  if (status === 400 && /does not support/.test(words))
    return new TandemError('unsupported', words, { cause });
  if (status === 400) return new TandemError('bad_request', words, { cause });
  if (status === 503) {
    return new TandemError('backend_failed', `Ollama is busy: ${words}`, { cause, retryAfterS: 5 });
  }
  return new TandemError('backend_failed', `Ollama failed: ${words}`, { cause });
}

export function pullFailure(error: unknown, model: string, signal: AbortSignal): TandemError {
  const failure = diskOr(error, signal);
  if (failure.code !== 'backend_failed') return failure;
  const { text } = causeOf(error);
  return /file does not exist|manifest unknown|not found/i.test(text)
    ? new TandemError('model_not_found', `There is no model ${model} in its library; check the name.`, {
        cause: error,
      })
    : new TandemError('pull_failed', `${model} could not be fetched: ${text.slice(0, 200)}. Try again.`, {
        cause: error,
      });
}

export function createFailure(error: unknown, model: string, signal: AbortSignal): TandemError {
  const failure = diskOr(error, signal);
  if (failure.code !== 'backend_failed') return failure;
  const text = causeOf(error).text.slice(0, 200);
  return new TandemError('backend_failed', `${model} could not be created in Ollama: ${text}`, {
    cause: error,
  });
}

function diskOr(error: unknown, signal: AbortSignal): TandemError {
  if (!signal.aborted && /no space left on device|disk quota exceeded/i.test(causeOf(error).text)) {
    return new TandemError(
      'disk_full',
      'The disk of the model folder is full; free some space and try again.',
      {
        cause: error,
      },
    );
  }
  return callFailure(error, signal);
}
