import { TandemError } from '../../../shared/errors';
import { failureKind, memoryFigures } from './failure-kinds';

/** What went wrong, taken from any error of the client, fetch or the server. */
interface Cause {
  status: number | null;
  text: string;
  /** No connection at all. */
  down: boolean;
}

function causeOf(error: unknown): Cause {
  const status = (error as { status_code?: unknown }).status_code;
  // `fetch` wraps the connection's error, a plain request does not.
  const { cause, code = cause?.code } = error as { code?: unknown; cause?: { code?: unknown } };
  return {
    status: typeof status === 'number' ? status : null,
    text: error instanceof Error ? error.message : String(error),
    down: code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT',
  };
}

/** Converts a call's error into one of our errors. */
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

/** Converts an error status into one of our errors, with Ollama's own text if it names the cure. */
export async function statusFailure(
  response: Pick<Response, 'status' | 'json'>,
  model: string,
): Promise<TandemError> {
  const body = (await response.json().catch(() => null)) as { error?: unknown } | null;
  // A broken model file gives a 500 without a body.
  const text = typeof body?.error === 'string' ? body.error : `status ${response.status} for ${model}`;
  return refused(response.status, text, undefined);
}

function refused(status: number, said: string, cause: unknown): TandemError {
  const text = plainText(said);
  const words = text.slice(0, 300);
  if (status === 404) return new TandemError('model_not_found', words, { cause });
  if (status === 400 && /does not support/.test(words))
    return new TandemError('unsupported', words, { cause });
  if (status === 400 && TOO_LONG.test(words)) return tooLong(words, cause);
  if (status === 400) return new TandemError('bad_request', words, { cause });
  return serverFailure(text, status, cause);
}

/** The texts of `ollama runner`, `llama-server`, and Ollama's own chat handler. */
const TOO_LONG = /exceeds the (?:available )?context|longer than the context length/i;

function tooLong(words: string, cause: unknown): TandemError {
  return new TandemError(
    'context_exceeded',
    `This does not fit the model's context: ${words}. Send less, or set a longer context for this model in Settings (contextLengths).`,
    { cause },
  );
}

/** From 0.30 on, Ollama returns a rejection by its model process as that process's JSON text. */
function plainText(said: string): string {
  try {
    const { error } = JSON.parse(said) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? error.message : said;
  } catch {
    return said;
  }
}

/**
 * A failure in the server's own words, before or during an answer; `details.cause` is its kind if the text matches one.
 */
export function serverFailure(text: string, status: number | null, cause?: unknown): TandemError {
  const kind = failureKind(text);
  const words = `Ollama ${kind === 'queue-full' ? 'is busy' : 'failed'}: ${text.slice(0, 300)}`;
  return new TandemError('backend_failed', words, {
    cause,
    ...(status === 503 ? { retryAfterS: 5 } : {}),
    details: {
      ...(kind ? { cause: kind } : {}),
      ...(kind === 'memory' ? { ...memoryFigures(text) } : {}),
    },
  });
}

export function pullFailure(error: unknown, model: string, signal: AbortSignal): TandemError {
  const failure = diskOr(error, signal);
  if (failure.code !== 'backend_failed') return failure;
  const { text } = causeOf(error);
  if (/file does not exist|manifest unknown|not found/i.test(text)) {
    const words = `There is no model ${model} in its library; check the name.`;
    return new TandemError('model_not_found', words, { cause: error });
  }
  const problem = pullProblem(text);
  const words = pullWords(problem, text, model);
  return new TandemError('pull_failed', words, { cause: error, details: { model, problem } });
}

type PullProblem = 'damaged' | 'network' | 'interrupted';

/** Why a download ended, from the texts of Ollama and of the network; null = no match. */
function pullProblem(text: string): PullProblem | null {
  if (/digest mismatch/i.test(text)) return 'damaged';
  const offline =
    /dial tcp|lookup |no such host|connection (refused|reset)|unreachable|timeout|max retries/i.test(text);
  if (offline) return 'network';
  return /terminated|did not receive done|socket|fetch failed/i.test(text) ? 'interrupted' : null;
}

/** What a person can do about it. */
function pullWords(problem: PullProblem | null, text: string, model: string): string {
  switch (problem) {
    case 'damaged':
      return `${model} arrived damaged and was thrown away. Try again; if it stays so, its library is at fault.`;
    case 'network':
      return `The library of ${model} cannot be reached. Check the network connection, then try again.`;
    case 'interrupted':
      return `Ollama ended while it fetched ${model}. Try again once it is back; what has arrived is kept.`;
    case null:
      return `${model} could not be fetched: ${text.slice(0, 200)}. Try again.`;
  }
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
