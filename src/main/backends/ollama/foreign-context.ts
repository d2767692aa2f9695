import type { Clock } from '../../ports/clock';
import type { BackendRequest } from '../backend';
import type { OllamaApi } from '../dialects/ollama/ollama-api';
import { promptTokensByLength } from '../dialects/ollama/request';
import { withDeadline } from '../watch/deadline';
import { plain, type Residents } from './residents';

/** `/api/ps` answers at once, except while a model's process hangs. */
const PS_TIMEOUT_MS = 2_000;

/**
 * The request with the context that the model already has on an external server: for another length, or none, the
 * server would load a model again that another program uses. The answer is limited to the rest of the context, as the
 * server would forget the start of the prompt for more. Rejects only when the signal aborts.
 */
export async function withForeignContext(
  { clock, residents }: { clock: Clock; residents: Residents },
  api: OllamaApi,
  request: BackendRequest,
  signal: AbortSignal,
): Promise<BackendRequest> {
  const { model } = request;
  if (!residents.has(model)) {
    // It may have been loaded since the last reading. Without an answer the pinned length is sent.
    const ask = (limited: AbortSignal) => residents.refresh(api, limited);
    await withDeadline(clock, PS_TIMEOUT_MS, ask, signal).catch((error: unknown) => {
      if (signal.aborted) throw error;
    });
  }
  const pinnedContext = residents.contexts().get(plain(model)) ?? request.pinnedContext;
  if (pinnedContext === undefined) return request;
  const left = Math.max(1, pinnedContext - promptTokensByLength(request));
  return { ...request, pinnedContext, sampling: { maxTokens: left, ...request.sampling } };
}
