import type { CompletionChunk, ModelInfo } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { BackendStatus } from '../../../shared/status';
import type { Clock } from '../../ports/clock';
import type { Fetcher, Poster } from '../../ports/fetcher';
import type { Backend, BackendRequest } from '../backend';
import { Catalogue } from '../ollama/catalogue';
import { Completions } from '../ollama/completions';
import { OllamaApi } from '../ollama/ollama-api';
import { DEFAULT_STREAM_LIMITS, type StreamLimits } from '../ollama/stream-limits';
import { WatchedServer } from '../ollama/watched-server';
import { StatusBoard } from '../status-board';
import { MLX_CAPABILITIES } from './mlx-backend';

export interface RemoteMlxOptions {
  /** `MLX_API_URL`: an MLX API in Ollama's dialect, such as another Tandem's. */
  url: string;
  /** See `OllamaApiOptions`. */
  authorization?: string | null;
  clock: Clock;
  fetcher: Fetcher;
  post: Poster;
  instanceId: string;
  stream?: Partial<StreamLimits>;
  watchEveryMs?: number;
}

const WATCH_EVERY_MS = 5000;

/** An MLX API on another machine, or outside our container: used and watched, never started or stopped. */
export class RemoteMlxBackend implements Backend {
  readonly id = 'mlx';
  readonly capabilities = MLX_CAPABILITIES;
  readonly #board = new StatusBoard('mlx', 0);
  readonly #clock: Clock;
  readonly #api: OllamaApi;
  readonly #server: WatchedServer;
  readonly #completions: Completions;
  readonly #catalogue = new Catalogue('mlx');

  readonly onStatus = this.#board.onStatus;

  constructor(options: RemoteMlxOptions) {
    this.#clock = options.clock;
    this.#api = new OllamaApi(options);
    const limits = { ...DEFAULT_STREAM_LIMITS, ...options.stream };
    this.#completions = new Completions(options.clock, limits, () =>
      this.#board.set({ activeRequests: this.#completions.active }),
    );
    this.#server = new WatchedServer({
      api: this.#api,
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

  models(signal: AbortSignal = AbortSignal.timeout(30_000)): Promise<ModelInfo[]> {
    return this.#catalogue.list(this.#api, signal);
  }

  async ensureReady(): Promise<void> {
    if (!(this.#server.up || (await this.#server.check()))) throw unreachable();
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    if (!this.#server.up) throw unreachable();
    try {
      yield* this.#completions.run(this.#api, request, signal);
    } catch (error) {
      if (!signal.aborted) void this.#server.check();
      throw error instanceof TandemError && error.code === 'ollama_down' ? unreachable() : error;
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
      url: this.#api.url,
      version,
      readySince: this.#clock.wall().getTime(),
      absence: null,
    });
  }

  #onDown(error: TandemError): void {
    this.#board.set({
      state: 'absent',
      ownership: 'remote',
      url: this.#api.url,
      readySince: null,
      absence: {
        code: error.code === 'self_reference' ? error.code : 'mlx_down',
        cure:
          error.code === 'self_reference'
            ? `${error.message} MLX_API_URL names it.`
            : `MLX_API_URL names ${this.#api.url}, which cannot be used now; start it there or unset MLX_API_URL.`,
        details: { address: new URL(this.#api.url).host },
      },
      lastError: {
        code: error.code === 'self_reference' ? error.code : 'unreachable',
        message: error.code === 'self_reference' ? error.message : 'The MLX API does not answer.',
        at: this.#clock.wall().getTime(),
      },
    });
  }
}

function unreachable(): TandemError {
  return new TandemError('mlx_down', 'The MLX API at MLX_API_URL does not answer; start it there.');
}
