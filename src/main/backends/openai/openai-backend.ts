import type { CompletionChunk } from '../../../shared/completion';
import type { BackendInstance, ModelInfo } from '../../../shared/domain';
import { downCodeOf, isDownCode, isTandemError, TandemError } from '../../../shared/errors';
import type { BackendStatus } from '../../../shared/status';
import type { Clock } from '../../ports/clock';
import { type Backend, type BackendRequest, TEXT_ONLY } from '../backend';
import type { ServerConnection } from '../dialects/connection';
import { Catalogue } from '../dialects/ollama/catalogue';
import { OllamaApi } from '../dialects/ollama/ollama-api';
import { OpenAiApi } from '../dialects/openai/openai-api';
import { StatusBoard } from '../status-board';
import { Completions } from '../watch/completions';
import { DEFAULT_STREAM_LIMITS, type StreamLimits } from '../watch/stream-limits';
import { WatchedServer } from '../watch/watched-server';
import { AskedServer } from './asked-server';

/** The server speaks OpenAI's API, or Ollama's as another Tandem does. */
export interface OpenAiBackendOptions extends ServerConnection {
  instance: BackendInstance;
  /** The variable or setting that names it, for messages. */
  setBy: string;
  /** See `OpenAiApiOptions`. */
  billionsOf(name: string): number | null;
  clock: Clock;
  stream?: Partial<StreamLimits>;
  watchEveryMs?: number;
}

const WATCH_EVERY_MS = 5000;

/** A server at an address: used and watched, never started or stopped. Its dialect is found out by asking it. */
export class OpenAiBackend implements Backend {
  readonly instance: BackendInstance;
  /** It is unknown whether such a server supports tools, images or schemas. */
  readonly capabilities = TEXT_ONLY;
  readonly #board: StatusBoard;
  readonly #options: OpenAiBackendOptions;
  readonly #server: WatchedServer<AskedServer>;
  readonly #completions: Completions;

  readonly onStatus;

  constructor(options: OpenAiBackendOptions) {
    this.#options = options;
    this.instance = options.instance;
    this.#board = new StatusBoard(options.instance.id, 0);
    this.onStatus = this.#board.onStatus;
    const limits = { ...DEFAULT_STREAM_LIMITS, ...options.stream };
    this.#completions = new Completions(options.clock, limits, () =>
      this.#board.set({ activeRequests: this.#completions.active }),
    );
    this.#server = new WatchedServer({
      api: askedServer(options),
      clock: options.clock,
      instanceId: options.instanceId,
      refuseTandem: false,
      everyMs: options.watchEveryMs ?? WATCH_EVERY_MS,
      timeoutMs: limits.probeMs,
      onUp: (version) => this.#onUp(version),
      onDown: (error) => this.#onDown(error),
    });
  }

  status(): BackendStatus {
    return this.#board.current;
  }

  async start(): Promise<void> {
    await this.#server.start();
  }

  /** It has no program here to search for; checks the server at once. */
  async relocate(): Promise<void> {
    await this.#server.check();
  }

  async models(signal: AbortSignal = AbortSignal.timeout(30_000)): Promise<ModelInfo[]> {
    try {
      return await this.#server.api.models(signal);
    } catch (error) {
      throw this.#asFailure(error);
    }
  }

  async ensureReady(): Promise<void> {
    if (!(this.#server.up || (await this.#server.check()))) throw this.#unreachable();
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    if (!this.#server.up) throw this.#unreachable();
    try {
      yield* this.#completions.run(this.#server.api, request, signal);
    } catch (error) {
      if (!signal.aborted) void this.#server.check();
      throw this.#asFailure(error);
    }
  }

  /** The other side manages its own slots. */
  async drained(): Promise<void> {}

  /** A server that is not ours cannot be restarted; checks it at once instead. */
  async restart(): Promise<void> {
    await this.#server.check();
  }

  /** It has no program here. */
  async release(): Promise<void> {}

  async stop(): Promise<void> {
    this.#server.stop();
    this.#board.set({ state: 'stopped', readySince: null });
  }

  #onUp(version: string): void {
    this.#board.set({
      state: 'adopted',
      ownership: 'remote',
      url: this.#server.api.url,
      version: version || null,
      readySince: this.#options.clock.wall().getTime(),
      absence: null,
    });
  }

  #onDown(error: TandemError): void {
    const { clock, setBy } = this.#options;
    const { url } = this.#server.api;
    const isUs = error.code === 'self_reference';
    this.#board.set({
      state: 'absent',
      ownership: 'remote',
      url,
      readySince: null,
      absence: {
        code: isUs ? error.code : downCodeOf(this.instance.id),
        cure: isUs
          ? `${error.message} ${setBy} names it.`
          : `${setBy} names ${url}, which cannot be used now; start it there or unset ${setBy}.`,
        details: { address: new URL(url).host },
      },
      lastError: {
        code: isUs ? error.code : 'unreachable',
        message: isUs ? error.message : `${this.instance.title} does not answer.`,
        at: clock.wall().getTime(),
      },
    });
  }

  /** In any dialect a server that is down has the code and the words of this instance. */
  #asFailure(error: unknown): unknown {
    return isTandemError(error) && isDownCode(error.code) ? this.#unreachable(error) : error;
  }

  #unreachable(cause?: TandemError): TandemError {
    const { id, title } = this.instance;
    const { setBy } = this.#options;
    return new TandemError(
      downCodeOf(id),
      `${title}, which ${setBy} names, does not answer; start it there.`,
      { cause },
    );
  }
}

/** Tries Ollama's dialect first: another Tandem speaks it, and reports more in it. */
function askedServer(options: OpenAiBackendOptions): AskedServer {
  const { id, title } = options.instance;
  const ollama = new OllamaApi(options);
  const catalogue = new Catalogue(id);
  const dialect = {
    async version(signal: AbortSignal) {
      const version: unknown = await ollama.version(signal);
      if (typeof version === 'string') return version;
      throw new TandemError('backend_failed', `${title} does not speak Ollama's API.`);
    },
    models: (signal: AbortSignal) => catalogue.list(ollama, signal),
    answer: (request: BackendRequest, signal: AbortSignal) => ollama.answer(request, signal),
  };
  const openAi = new OpenAiApi({ ...options, server: options.instance });
  return new AskedServer(ollama.url, [dialect, openAi], (signal) => ollama.tandemInstance(signal));
}
