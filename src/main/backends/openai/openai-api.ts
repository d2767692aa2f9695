import { basename } from 'node:path';
import type { CompletionChunk } from '../../../shared/completion';
import { type BackendId, type ModelInfo, weightOf } from '../../../shared/domain';
import { downCodeOf, TandemError } from '../../../shared/errors';
import { HOP_HEADER } from '../../../shared/hop-header';
import type { Fetcher, PostAnswer, Poster } from '../../ports/fetcher';
import type { BackendRequest } from '../backend';
import { SseReader, toMlxCall } from '../mlx/protocol';
import { oneToken } from '../mlx/ready-probe';
import { validate } from '../mlx/validate';
import { streamCompletion } from '../stream-completion';

export interface OpenAiApiOptions {
  backend: BackendId;
  /** Its name, for messages. */
  title: string;
  /** Base URL, with or without `/v1`, without user and password. */
  url: string;
  /** Authorization header of every call; null = none. */
  authorization?: string | null;
  fetcher: Fetcher;
  post: Poster;
  /** Id of this Tandem instance, sent with every call so that a loop back to us is detected. */
  instanceId: string;
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
   * Streams one completion. Aborting closes the connection at once; so does leaving the iteration early.
   * @throws TandemError `bad_request`, `unsupported`, `backend_failed`, `cancelled`, or the code of `downCodeOf`
   */
  async *answer(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const { post, title } = this.#options;
    const loadOnly = request.rawPrompt === undefined && request.messages.length === 0;
    const safe = validate(loadOnly ? oneToken(request) : request, { vocabSize: null, contextLength: null });
    const call = toMlxCall(safe, this.#ids.get(request.model) ?? request.model);
    const chunks = streamCompletion(post, {
      url: this.#base + call.path,
      headers: this.#headers(request.hops),
      body: call.body,
      signal,
      reader: new SseReader(title),
      refusal: (answer) => this.#refusal(answer),
      asFailure: (error) => this.#failure(error, signal),
    });
    for await (const chunk of chunks) {
      if (!loadOnly) yield chunk;
      else if (chunk.type === 'end') yield { type: 'end', end: { ...chunk.end, reason: 'load' } };
    }
  }

  async #list(signal: AbortSignal): Promise<string[]> {
    const { fetcher, title } = this.#options;
    let text: string;
    try {
      const response = await fetcher(`${this.#base}/v1/models`, { headers: this.#headers(), signal });
      text = await response.text();
      if (!response.ok)
        throw new TandemError('backend_failed', `${title} refused: status ${response.status}`);
    } catch (error) {
      throw this.#failure(error, signal);
    }
    // `mlx_lm.server` answers so while the cache of downloaded models does not exist.
    if (text === '') return [DEFAULT_MODEL];
    const ids = idsIn(text);
    if (ids === null) throw new TandemError('backend_failed', `${title} does not speak OpenAI's API.`);
    return ids;
  }

  #infoOf(name: string): ModelInfo {
    const billions = this.#options.billionsOf(name);
    return {
      ...{ backend: this.#options.backend, name, billions },
      // A model of unknown size is not loaded here, so it endangers nothing.
      weight: billions === null ? 'light' : weightOf(billions),
      ...{ sizeBytes: null, quantisation: null, contextLength: null, modifiedAt: null },
      ...{ small: false, languages: null, remote: false },
      capabilities: /embed/i.test(name) ? ['embedding'] : [],
    };
  }

  #headers(hops?: string): Record<string, string> {
    const { instanceId, authorization } = this.#options;
    const passed = hops === undefined ? instanceId : `${hops}, ${instanceId}`;
    return { [HOP_HEADER]: passed, ...(authorization ? { authorization } : {}) };
  }

  async #refusal(answer: PostAnswer): Promise<TandemError> {
    const { title } = this.#options;
    const body = (await answer.json().catch(() => null)) as { error?: unknown } | null;
    const said = (body?.error as { message?: unknown } | null)?.message ?? body?.error;
    const text = typeof said === 'string' ? said.slice(0, 300) : `status ${answer.status}`;
    const isOurs = answer.status === 400 || answer.status === 422;
    if (isOurs) return new TandemError('bad_request', `${title} refused the request: ${text}`);
    return new TandemError('backend_failed', `${title} could not answer: ${text}`, {
      ...(answer.status === 429 || answer.status === 503 ? { retryAfterS: 5 } : {}),
    });
  }

  #failure(error: unknown, signal: AbortSignal): TandemError {
    const { backend, title } = this.#options;
    if (error instanceof TandemError) return error;
    if (signal.aborted) return new TandemError('cancelled', 'The request was cancelled.', { cause: error });
    const { cause, code = cause?.code } = error as { code?: unknown; cause?: { code?: unknown } };
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'UND_ERR_CONNECT_TIMEOUT')
      return new TandemError(downCodeOf(backend), `${title} does not answer; start it.`, { cause: error });
    return new TandemError('backend_failed', `The connection to ${title} broke; try again.`, {
      cause: error,
    });
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
