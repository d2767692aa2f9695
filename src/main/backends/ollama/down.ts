import type { BackendInstance } from '../../../shared/domain';
import { downCodeOf, isDownCode, isTandemError, TandemError } from '../../../shared/errors';

/**
 * A failure as the rest of the app knows it. Inside the room of a kind, a server that is down has the code and the words
 * of the kind; outside, those of its instance. Any other failure is returned unchanged.
 */
export function asFailureOf({ id, title }: BackendInstance, error: unknown): unknown {
  const code = downCodeOf(id);
  if (!isTandemError(error) || !isDownCode(error.code) || error.code === code) return error;
  const { cause, details, retryAfterS } = error;
  return new TandemError(code, `${title} does not answer; start it there.`, {
    cause,
    details,
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  });
}
