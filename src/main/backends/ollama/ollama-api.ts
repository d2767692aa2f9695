import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Ollama } from 'ollama/browser';
import type { CompletionChunk } from '../../../shared/completion';
import { ERROR_CODES, TandemError } from '../../../shared/errors';
import { HOP_HEADER } from '../../../shared/hop-header';
import type { Fetcher, Poster } from '../../ports/fetcher';
import type { BackendRequest } from '../backend';
import { streamCompletion } from '../stream-completion';
import { callFailure, createFailure, pullFailure, statusFailure } from './failures';
import type { ShowAnswer, TagItem } from './model-list';
import { parseModelfile } from './modelfile';
import { NdjsonReader } from './protocol';
import { type OllamaCall, toOllamaCall } from './request';

export interface OllamaApiOptions {
  /** Base URL without a path, user and password. */
  url: string;
  /** Authorization header of every call; null = none. */
  authorization?: string | null;
  fetcher: Fetcher;
  post: Poster;
  /** Is the server our own? See `toOllamaCall`. */
  ours?: boolean;
  /** Id of this Tandem instance, sent with every call so that a loop back to us is detected. */
  instanceId: string;
}

/** The fields of an `/api/ps` item that are used here. */
export interface LoadedItem {
  name: string;
  size?: number;
  /** Tokens of context that it is loaded with. */
  context_length?: number;
}

/** Layers of one model; real ones have about ten. */
const MAX_LAYERS = 1_000;

/** Bytes over all layers that the server has listed so far. */
export interface PullProgress {
  step: string;
  completedBytes: number;
  totalBytes: number | null;
}

/**
 * One server that speaks Ollama's API. All calls except completions go through the `ollama` client, whose fetch is
 * replaced so that every call has a signal (the client's own `abort` stops no plain call, and nothing before the first
 * byte). Completions are read here, because the client prints lines that it cannot parse, which are message text. The
 * browser build of the client is used on purpose: the Node build opens files that an image's text happens to name.
 */
export class OllamaApi {
  readonly url: string;
  readonly #options: OllamaApiOptions;

  constructor(options: OllamaApiOptions) {
    this.#options = options;
    this.url = options.url.replace(/\/+$/, '');
  }

  /** 0.0.0 is a valid version (a build from source). */
  async version(signal: AbortSignal): Promise<string> {
    return this.#call(signal, async (client) => (await client.version()).version);
  }

  async tags(signal: AbortSignal): Promise<TagItem[]> {
    return this.#call(signal, async (client) => (await client.list()).models as TagItem[]);
  }

  async show(model: string, signal: AbortSignal): Promise<ShowAnswer> {
    return this.#call(signal, async (client) => (await client.show({ model })) as ShowAnswer);
  }

  /** The models in memory, the one with the latest expiry first. A model whose process has died is still listed. */
  async loaded(signal: AbortSignal): Promise<LoadedItem[]> {
    return this.#call(signal, async (client) => (await client.ps()).models as unknown as LoadedItem[]);
  }

  /** Unloads a model, also one whose process is stuck. Does nothing for a model that is not loaded. */
  async unload(model: string, signal: AbortSignal): Promise<void> {
    const body = { model, keep_alive: 0 };
    for await (const _chunk of this.complete({ path: '/api/generate', body }, signal));
  }

  async delete(model: string, signal: AbortSignal): Promise<void> {
    await this.#call(signal, (client) => client.delete({ model }));
  }

  /** Instance id of a Tandem that answers here; null if it is not one. Throws `forbidden_host` when it rejects us. */
  async tandemInstance(signal: AbortSignal): Promise<string | null> {
    const { status, body } = await this.#health(signal);
    // The call carries our id, and our own listeners reject calls that do.
    if (status === ERROR_CODES.loop_detected.http) return this.#options.instanceId;
    if (body.code === 'forbidden_host') {
      const { host } = new URL(this.url);
      throw new TandemError(
        'forbidden_host',
        `Another Tandem answers at ${host} and does not serve that name; add it to TANDEM_ALLOWED_HOSTS there.`,
      );
    }
    return typeof body.instance === 'string' ? body.instance : null;
  }

  async #health(signal: AbortSignal): Promise<{ status: number; body: Record<string, unknown> }> {
    try {
      const response = await this.#fetch(`${this.url}/health`, { signal });
      const body: unknown = await response.json().catch(() => null);
      return { status: response.status, body: { ...(body as object | null) } };
    } catch {
      // Ollama answers /health with 404 in plain text, and a server may be about to start.
      return { status: 0, body: {} };
    }
  }

  /** Streams the answer to a request; see `complete`. */
  answer(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    return this.complete(toOllamaCall(request, this.#options.ours), signal);
  }

  /**
   * Streams one completion. Aborting closes the connection at once; so does leaving the iteration early.
   * @throws TandemError
   */
  complete(call: OllamaCall, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const { post } = this.#options;
    return streamCompletion(post, {
      url: this.url + call.path,
      headers: this.#headers(call.hops),
      body: call.body,
      signal,
      reader: new NdjsonReader(),
      refusal: (answer) => statusFailure(answer, String(call.body.model)),
      asFailure: (error) => callFailure(error, signal),
    });
  }

  /**
   * Downloads a model from its registry. The server keeps partial data after an abort and continues with it next time.
   * @throws TandemError `pull_failed`, `disk_full`, `model_not_found`, `cancelled` or `ollama_down`
   */
  async pull(
    model: string,
    options: { insecure: boolean },
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const layers = new Map<string, { total: number; completed: number }>();
    try {
      const answer = await this.#client(signal).pull({ model, insecure: options.insecure, stream: true });
      for await (const { status, digest, total, completed } of answer) {
        if (digest && total) layers.set(digest, { total, completed: completed ?? 0 });
        if (layers.size > MAX_LAYERS)
          throw new TandemError(
            'pull_failed',
            `${model} has too many parts; it is no model that Ollama can run.`,
          );
        const all = [...layers.values()];
        onProgress({
          step: status,
          completedBytes: all.reduce((sum, layer) => sum + layer.completed, 0),
          totalBytes: all.length === 0 ? null : all.reduce((sum, layer) => sum + layer.total, 0),
        });
      }
    } catch (error) {
      throw pullFailure(error, model, signal);
    }
  }

  /** Creates a model from its files (one GGUF is enough) with a Modelfile's template, system prompt and parameters. */
  async createFromFiles(
    model: string,
    paths: readonly string[],
    modelfilePath: string,
    signal: AbortSignal,
  ): Promise<void> {
    const files: Record<string, string> = {};
    for (const path of paths) files[basename(path)] = await this.#upload(path, signal);
    const modelfile = parseModelfile(await readFile(modelfilePath, 'utf8'));
    await this.#create(
      {
        model,
        files,
        parameters: modelfile.parameters,
        ...(modelfile.template === null ? {} : { template: modelfile.template }),
        ...(modelfile.system === null ? {} : { system: modelfile.system }),
      },
      signal,
    );
  }

  async #create(request: CreateBody, signal: AbortSignal): Promise<void> {
    try {
      // The client's type is older than the API: `files` maps names to digests.
      const answer = await this.#client(signal).create({ ...request, stream: true } as never);
      for await (const _progress of answer as unknown as AsyncIterable<unknown>) signal.throwIfAborted();
    } catch (error) {
      throw createFailure(error, request.model, signal);
    }
  }

  /** Uploads a file's content unless the server already has it; returns its digest. */
  async #upload(file: string, signal: AbortSignal): Promise<string> {
    const hash = createHash('sha256');
    for await (const bytes of createReadStream(file)) hash.update(bytes);
    const digest = `sha256:${hash.digest('hex')}`;
    const url = `${this.url}/api/blobs/${digest}`;
    try {
      if ((await this.#fetch(url, { method: 'HEAD', signal })).ok) return digest;
      const body = createReadStream(file) as unknown as BodyInit;
      const sent = await this.#fetch(url, { method: 'POST', body, duplex: 'half', signal } as RequestInit);
      if (!sent.ok) throw await statusFailure(sent, digest);
      return digest;
    } catch (error) {
      throw callFailure(error, signal);
    }
  }

  async #call<T>(signal: AbortSignal, run: (client: Ollama) => Promise<T>): Promise<T> {
    try {
      return await run(this.#client(signal));
    } catch (error) {
      throw callFailure(error, signal);
    }
  }

  #client(signal: AbortSignal): Ollama {
    const fetcher: Fetcher = (input, init) => this.#fetch(String(input), { ...init, signal });
    return new Ollama({ host: this.url, fetch: fetcher });
  }

  /** @param hops the instances before this one */
  #headers(hops?: string): Record<string, string> {
    const { instanceId, authorization } = this.#options;
    const passed = hops === undefined ? instanceId : `${hops}, ${instanceId}`;
    return { [HOP_HEADER]: passed, ...(authorization ? { authorization } : {}) };
  }

  #fetch(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(this.#headers())) headers.set(name, value);
    return this.#options.fetcher(url, { ...init, headers: Object.fromEntries(headers) });
  }
}

interface CreateBody {
  model: string;
  from?: string;
  files?: Record<string, string>;
  template?: string;
  system?: string;
  parameters?: Record<string, unknown>;
}
