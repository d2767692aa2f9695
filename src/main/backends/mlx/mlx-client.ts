import type { CompletionChunk } from '../../../shared/completion';
import { headersOf, type ServerConnection } from '../dialects/connection';
import { completeOpenAi } from '../dialects/openai/protocol';
import type { MlxCall } from '../dialects/openai/validate';

export type MlxClientOptions = Pick<ServerConnection, 'fetcher' | 'post' | 'instanceId'>;

/** Address of one MLX process, and the secret that every request must carry. */
export interface MlxAddress {
  url: string;
  secret: string;
}

/** How errors name it. */
const MLX = { id: 'mlx', title: 'MLX' };

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

  /** See `completeOpenAi`. */
  complete(
    address: MlxAddress,
    id: string,
    call: MlxCall,
    signal: AbortSignal,
  ): AsyncGenerator<CompletionChunk> {
    const headers = { ...this.#headers(address), 'X-Tandem-Request-Id': id };
    return completeOpenAi(this.#options.post, MLX, { url: address.url, headers, call }, signal);
  }

  #headers({ secret }: MlxAddress): Record<string, string> {
    return { ...headersOf(this.#options), 'X-Tandem-Secret': secret };
  }
}
