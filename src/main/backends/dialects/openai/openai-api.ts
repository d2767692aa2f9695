import { basename } from 'node:path';
import type { CompletionChunk } from '../../../../shared/completion';
import { type ModelInfo, weightOf } from '../../../../shared/domain';
import { TandemError } from '../../../../shared/errors';
import type { BackendRequest } from '../../backend';
import { connectionFailure, headersOf, type ServerConnection, type ServerName } from '../connection';
import { completeOpenAi } from './protocol';
import { isLoadOnly, oneToken, toMlxCall, validate } from './validate';

/** Its URL may end with `/v1`. */
export interface OpenAiApiOptions extends ServerConnection {
  /** Its name, for errors. */
  server: ServerName;
  /** Parameters in billions from a model's name; null = not in it. */
  billionsOf(name: string): number | null;
}

/** The name by which `mlx_lm.server` knows the model of its command line. */
const DEFAULT_MODEL = 'default_model';
/** A server that lists more has no list of models. */
const MAX_MODELS = 10_000;

/** One server that speaks OpenAI's API, such as a plain `mlx_lm.server`. */
export class OpenAiApi {
  readonly #options: OpenAiApiOptions;
  readonly #base: string;
  /** The server's ids by the names that clients use. */
  #ids = new Map<string, string>();

  constructor(options: OpenAiApiOptions) {
    this.#options = options;
    this.#base = options.url.replace(/\/+$/, '').replace(/\/v1$/, '');
  }

  /** Resolves if it answers in this dialect, which has no version. */
  async version(signal: AbortSignal): Promise<string> {
    await this.#list(signal);
    return '';
  }

  /** Its models. A path is listed under the name of its folder. */
  async models(signal: AbortSignal): Promise<ModelInfo[]> {
    const ids = await this.#list(signal);
    this.#ids = new Map(ids.map((id) => [id.startsWith('/') ? basename(id) : id, id]));
    return [...this.#ids.keys()].map((name) => this.#infoOf(name));
  }

  /**
   * See `completeOpenAi`.
   * @throws TandemError also `unsupported`
   */
  async *answer(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const { post, server } = this.#options;
    const loadOnly = isLoadOnly(request);
    const safe = validate(loadOnly ? oneToken(request) : request, { vocabSize: null, contextLength: null });
    const call = toMlxCall(safe, this.#ids.get(request.model) ?? request.model);
    const headers = headersOf(this.#options, request.hops);
    for await (const chunk of completeOpenAi(post, server, { url: this.#base, headers, call }, signal)) {
      if (!loadOnly) yield chunk;
      else if (chunk.type === 'end') yield { type: 'end', end: { ...chunk.end, reason: 'load' } };
    }
  }

  async #list(signal: AbortSignal): Promise<string[]> {
    const { fetcher, server } = this.#options;
    let text: string;
    try {
      const response = await fetcher(`${this.#base}/v1/models`, {
        headers: headersOf(this.#options),
        signal,
      });
      text = await response.text();
      if (!response.ok)
        throw new TandemError('backend_failed', `${server.title} refused: status ${response.status}`);
    } catch (error) {
      throw connectionFailure(error, signal, server);
    }
    // `mlx_lm.server` answers so while the cache of downloaded models does not exist.
    if (text === '') return [DEFAULT_MODEL];
    const ids = idsIn(text);
    if (ids === null) throw new TandemError('backend_failed', `${server.title} does not speak OpenAI's API.`);
    return ids;
  }

  #infoOf(name: string): ModelInfo {
    const billions = this.#options.billionsOf(name);
    return {
      ...{ backend: this.#options.server.id, name, billions },
      // A model of unknown size is not loaded here, so it endangers nothing.
      weight: billions === null ? 'light' : weightOf(billions),
      ...{ sizeBytes: null, quantisation: null, contextLength: null, modifiedAt: null },
      ...{ small: false, languages: null, remote: false },
      capabilities: /embed/i.test(name) ? ['embedding'] : [],
    };
  }
}

/** The ids in the body of `/v1/models`; null if it is something else. */
function idsIn(text: string): string[] | null {
  try {
    const { data } = JSON.parse(text) as { data?: unknown };
    if (!Array.isArray(data) || data.length > MAX_MODELS) return null;
    return data.flatMap((item: { id?: unknown } | null) => (typeof item?.id === 'string' ? [item.id] : []));
  } catch {
    return null;
  }
}
