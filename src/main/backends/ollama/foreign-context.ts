import type { Clock } from '../../ports/clock';
import type { BackendRequest } from '../backend';
import { withDeadline } from './deadline';
import type { OllamaApi } from './ollama-api';
import { promptTokensByLength } from './request';
import { plain, type Residents } from './residents';

/** `/api/ps` answers at once, except while a model's process hangs. */
const PS_TIMEOUT_MS = 2_000;

/**
 * The request with the context that the model already has on an external server: for another length, or none, the
 * server would load a model again that another program uses. Its answer is limited to what is left of this context,
 * beyond which the server would forget the start of the prompt. Rejects only when the signal aborts.
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
  const pinnedContext = residents.contexts().get(plain(model));
  if (pinnedContext === undefined) return request;
  const left = Math.max(1, pinnedContext - promptTokensByLength(request));
  return { ...request, pinnedContext, sampling: { maxTokens: left, ...request.sampling } };
}
