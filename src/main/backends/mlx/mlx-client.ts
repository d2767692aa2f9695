import type { CompletionChunk } from '../../../shared/completion';
import { TandemError } from '../../../shared/errors';
import { HOP_HEADER } from '../../../shared/hop-header';
import type { Fetcher, PostAnswer, Poster } from '../../ports/fetcher';
import { streamCompletion } from '../stream-completion';
import { type MlxCall, SseReader } from './protocol';

export interface MlxClientOptions {
  fetcher: Fetcher;
  post: Poster;
  /** Id of this Tandem instance, sent with every call so that a loop back to us is detected. */
  instanceId: string;
}

/** Address of one MLX process, and the secret that every request must carry. */
export interface MlxAddress {
  url: string;
  secret: string;
}

/** Calls to one mlx_lm.server. */
export class MlxClient {
  readonly #options: MlxClientOptions;

  constructor(options: MlxClientOptions) {
    this.#options = options;
  }

  /** False when the generation thread is dead; true proves little, see `ReadyProbe`. */
  async healthy(address: MlxAddress, signal: AbortSignal): Promise<boolean> {
    const headers = this.#headers(address);
    const response = await this.#options.fetcher(`${address.url}/health`, { headers, signal });
    await response.arrayBuffer();
    return response.ok;
  }

  /**
   * Streams one completion. Aborting closes the connection at once; so does leaving the iteration early.
   * @throws TandemError `backend_failed`, `bad_request`, `mlx_down` or `cancelled`
   */
  complete(
    address: MlxAddress,
    id: string,
    call: MlxCall,
    signal: AbortSignal,
  ): AsyncGenerator<CompletionChunk> {
    return streamCompletion(this.#options.post, {
      url: address.url + call.path,
      headers: { ...this.#headers(address), 'X-Tandem-Request-Id': id },
      body: call.body,
      signal,
      reader: new SseReader('MLX'),
      refusal,
      asFailure: (error) => asFailure(error, signal),
    });
  }

  #headers({ secret }: MlxAddress): Record<string, string> {
    return { [HOP_HEADER]: this.#options.instanceId, 'X-Tandem-Secret': secret };
  }
}

/** Error of a status: 400 names a parameter, 404 is sent for all other failures. */
async function refusal(response: PostAnswer): Promise<TandemError> {
  const body = (await response.json().catch(() => null)) as { error?: unknown } | null;
  const text = typeof body?.error === 'string' ? body.error.slice(0, 300) : `status ${response.status}`;
  if (text === 'generation thread died') {
    return new TandemError(
      'mlx_down',
      'MLX has stopped generating and is being restarted; try again shortly.',
    );
  }
  if (response.status === 400) return new TandemError('bad_request', `MLX refused the request: ${text}`);
  return new TandemError('backend_failed', `MLX could not answer: ${text}`);
}

function asFailure(error: unknown, signal: AbortSignal): TandemError {
  if (error instanceof TandemError) return error;
  if (signal.aborted) return new TandemError('cancelled', 'The request was cancelled.', { cause: error });
  return new TandemError('backend_failed', 'The connection to MLX broke; try again.', { cause: error });
}
