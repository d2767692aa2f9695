import type { BackendInstance } from '../../../shared/domain';
import { downCodeOf, TandemError } from '../../../shared/errors';
import { HOP_HEADER } from '../../../shared/hop-header';
import type { Fetcher, Poster } from '../../ports/fetcher';

/** A server at an address, and what calls to it need. */
export interface ServerConnection {
  /** Base URL without user and password. */
  url: string;
  /** Authorization header of every call; null = none. */
  authorization?: string | null;
  fetcher: Fetcher;
  post: Poster;
  /** Id of this Tandem instance, sent with every call so that a loop back to us is detected. */
  instanceId: string;
}

/** Headers of every call. @param hops the instances before this one */
export function headersOf(
  { instanceId, authorization }: Pick<ServerConnection, 'instanceId' | 'authorization'>,
  hops?: string,
): Record<string, string> {
  const passed = hops === undefined ? instanceId : `${hops}, ${instanceId}`;
  return { [HOP_HEADER]: passed, ...(authorization ? { authorization } : {}) };
}

/** How errors name a server. */
export type ServerName = Pick<BackendInstance, 'id' | 'title'>;

/** Converts an error of a call into one of ours: `cancelled`, the code of a server that is down, or `backend_failed`. */
export function connectionFailure(
  error: unknown,
  signal: AbortSignal,
  { id, title }: ServerName,
): TandemError {
  if (error instanceof TandemError) return error;
  if (signal.aborted) return new TandemError('cancelled', 'The request was cancelled.', { cause: error });
  // `fetch` wraps the connection's error, a plain request does not.
  const { cause, code = cause?.code } = error as { code?: unknown; cause?: { code?: unknown } };
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT') {
    const words = `${title} does not answer; it restarts by itself, or start it.`;
    return new TandemError(downCodeOf(id), words, { cause: error });
  }
  return new TandemError('backend_failed', `The connection to ${title} broke; try again.`, { cause: error });
}
