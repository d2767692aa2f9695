import type { Clock } from '../../ports/clock';
import type { Catalogue } from '../dialects/ollama/catalogue';
import type { OllamaApi } from '../dialects/ollama/ollama-api';
import { isSilence, withDeadline } from '../watch/deadline';
import { silentServer, undescribed } from '../watch/recovery';
import type { ServerCare } from '../watch/server-care';

/** The server reads a description from the head of the model's file; on a slow disk that takes some seconds. */
const SHOW_TIMEOUT_MS = 15_000;

/**
 * Rejects for a model that would send the request to somebody else's machine, and for one that the server does not
 * describe in time: `unsupported`, `ollama_down` or `backend_failed`.
 */
export async function refuseRemote(
  { clock, catalogue, care }: { clock: Clock; catalogue: Catalogue; care: Pick<ServerCare, 'restartSilent'> },
  api: OllamaApi,
  model: string,
  signal: AbortSignal,
): Promise<void> {
  const ask = (limited: AbortSignal) => catalogue.refuseRemote(api, model, limited);
  try {
    await withDeadline(clock, SHOW_TIMEOUT_MS, ask, signal);
  } catch (error) {
    if (signal.aborted || !isSilence(error)) throw error;
    throw (await care.restartSilent(true)) ? silentServer(error) : undescribed(model, error);
  }
}
