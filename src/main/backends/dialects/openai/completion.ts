import type { CompletionChunk } from '../../../../shared/completion';
import { downCodeOf, TandemError } from '../../../../shared/errors';
import type { PostAnswer, Poster } from '../../../ports/fetcher';
import { connectionFailure, type ServerName } from '../connection';
import { streamCompletion } from '../stream-completion';
import { type MlxCall, SseReader } from './protocol';

/**
 * Streams one completion. Aborting closes the connection at once; so does leaving the iteration early.
 * @throws TandemError `bad_request`, `backend_failed`, `cancelled`, or the code of `downCodeOf`
 */
export function completeOpenAi(
  post: Poster,
  server: ServerName,
  { url, headers, call }: { url: string; headers: Record<string, string>; call: MlxCall },
  signal: AbortSignal,
): AsyncGenerator<CompletionChunk> {
  return streamCompletion(post, {
    url: url + call.path,
    headers,
    body: call.body,
    signal,
    reader: new SseReader(server.title),
    refusal: (answer) => refusal(answer, server),
    asFailure: (error) => connectionFailure(error, signal, server),
  });
}

/** Error of a status. `mlx_lm.server` sends 400 for a parameter, with its name, and 404 for all other failures. */
async function refusal(answer: PostAnswer, { id, title }: ServerName): Promise<TandemError> {
  const body = (await answer.json().catch(() => null)) as { error?: unknown } | null;
  const said = (body?.error as { message?: unknown } | null)?.message ?? body?.error;
  const text = typeof said === 'string' ? said.slice(0, 300) : `status ${answer.status}`;
  if (text === 'generation thread died')
    return new TandemError(
      downCodeOf(id),
      `${title} has stopped generating and is being restarted; try again shortly.`,
    );
  const isOurs = answer.status === 400 || answer.status === 422;
  if (isOurs) return new TandemError('bad_request', `${title} refused the request: ${text}`);
  return new TandemError('backend_failed', `${title} could not answer: ${text}`, {
    ...(answer.status === 429 || answer.status === 503 ? { retryAfterS: 5 } : {}),
  });
}
