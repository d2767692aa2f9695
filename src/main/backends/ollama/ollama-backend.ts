import type { CompletionChunk, ModelInfo } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { BackendStatus } from '../../../shared/status';
import type { Fetcher } from '../../ports/fetcher';
import { pollUntil, Supervisor, type SupervisorPorts } from '../../supervisor/supervisor';
import { DEFAULT_LIMITS, type SupervisorLimits } from '../../supervisor/transitions';
import type { Backend, BackendCapabilities, BackendRequest } from '../backend';
import { exitWords } from '../exit-words';
import type { Locate } from '../locate';
import { StatusBoard } from '../status-board';
import { Catalogue } from './catalogue';
import { Completions, DEFAULT_STREAM_LIMITS, type StreamLimits } from './completions';
import { OllamaLog, ollamaLaunchSpec } from './launch-spec';
import { OllamaApi, type PullProgress } from './ollama-api';
import { WatchedServer } from './watched-server';

export interface OllamaBackendOptions {
  /** `OLLAMA_API_URL`: that server only, nothing is started here. Null = look for one, else start our own. */
  url: string | null;
  /** Addresses where a server of somebody else is looked for, in this order. */
  candidates?: readonly string[];
  /** Where the Ollama program is. Asked when no server was found, at `relocate` and at manual restarts. */
  locate: Locate;
  /** The server's own log; set aside as `.1` when large. */
  logFile: string;
  /** Resolves when memory allows a start. */
  mayStart?(signal: AbortSignal): Promise<void>;
  /** Process that listens on a port of this machine, to know an adopted server's memory. */
  findHolder?(port: number): Promise<{ pid: number } | null>;
  env: Readonly<Record<string, string | undefined>>;
  fetcher: Fetcher;
  instanceId: string;
  limits?: Partial<SupervisorLimits>;
  stream?: Partial<StreamLimits>;
  /** How often a server of somebody else is asked or looked for, ms. */
  watchEveryMs?: number;
}

export const OLLAMA_CAPABILITIES: BackendCapabilities = {
  tools: true,
  images: true,
  jsonSchema: true,
  rawPrompt: true,
  interruptiblePrefill: false,
  pull: true,
};

export const OLLAMA_DEFAULT_URL = 'http://127.0.0.1:11434';
const WATCH_EVERY_MS = 5000;
const PROBE_TIMEOUT_MS = 2000;
const FIGURES_EVERY_MS = 10_000;
/** Only a model this small is asked for one token to prove a fresh server alive: a large one takes minutes to load. */
const PROBE_MODEL_BYTES = 64_000_000;
type Mode = { kind: 'none' } | { kind: 'watched'; server: WatchedServer } | { kind: 'managed' };

/** Ollama: somebody else's server if there is one, else a supervised one of our own. */
export class OllamaBackend implements Backend {
  readonly id = 'ollama';
  readonly capabilities = OLLAMA_CAPABILITIES;
  readonly #options: OllamaBackendOptions;
  readonly #ports: SupervisorPorts;
  readonly #board: StatusBoard;
  readonly #supervisor: Supervisor;
  readonly #completions: Completions;
  readonly #catalogue = new Catalogue('ollama');
  readonly #log: OllamaLog;
  #mode: Mode = { kind: 'none' };
  #api: OllamaApi | null = null;
  #program: string | null = null;
  /** Pid of an adopted server. */
  #holder: number | null = null;
  #timers: (() => void)[] = [];
  #looking: Promise<void> | null = null;
  #closed = false;

  readonly onStatus;

  constructor(options: OllamaBackendOptions, ports: SupervisorPorts) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#options = options;
    this.#ports = ports;
    this.#board = new StatusBoard('ollama', limits.maxRestarts);
    this.onStatus = this.#board.onStatus;
    this.#log = new OllamaLog(options.logFile);
    this.#completions = new Completions(ports.clock, { ...DEFAULT_STREAM_LIMITS, ...options.stream }, () =>
      this.#publish(),
    );
    this.#supervisor = new Supervisor(
      {
        kind: 'ollama',
        limits,
        launch: () => this.#launch(),
        onSpawn: () => {
          this.#api = null;
        },
        probe: (signal, onStage) => this.#probe(signal, onStage),
        causeOf: (exit) => this.#log.exitCause(exit),
        mayStart: (signal) => options.mayStart?.(signal) ?? Promise.resolve(),
      },
      ports,
    );
    this.#supervisor.onChange(() => this.#publish());
  }

  status(): BackendStatus {
    return this.#board.current;
  }

  /** Adopts a running server or starts our own; without either the state is `absent` with the cure. */
  async start(): Promise<void> {
    this.#closed = false;
    const { clock } = this.#ports;
    const every = this.#options.watchEveryMs ?? WATCH_EVERY_MS;
    this.#timers = [
      clock.every(FIGURES_EVERY_MS, () => void this.#refreshFigures()),
      clock.every(every, () => void this.#look()),
    ];
    if (this.#options.url !== null) await this.#watch(this.#options.url, false);
    else await this.#look();
  }

  /** Looks again, after the set-up or a long sleep, for a running server and for the program, and starts it. */
  async relocate(): Promise<void> {
    if (this.#closed) return;
    await this.#look(true);
    if (this.#mode.kind === 'managed') this.#supervisor.revive();
    else if (this.#mode.kind === 'watched') await this.#mode.server.check();
  }

  async models(signal: AbortSignal = AbortSignal.timeout(30_000)): Promise<ModelInfo[]> {
    return this.#catalogue.list(this.#require(), signal);
  }

  async ensureReady(signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw down();
    if (this.#mode.kind === 'none' && this.#options.url === null) await this.#look(true);
    if (this.#mode.kind === 'managed') return this.#supervisor.ensureReady(signal, down);
    if (this.#mode.kind === 'watched' && (this.#mode.server.up || (await this.#mode.server.check()))) return;
    throw this.#unavailable();
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const api = this.#require();
    await this.#catalogue.refuseRemote(api, request.model, signal);
    try {
      for await (const chunk of this.#completions.run(api, request, signal)) {
        if (chunk.type === 'text') this.#board.set({ model: request.model });
        yield chunk;
      }
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }

  /** Ollama stops at once, or after the prompt; it reports neither, and queues the next request by itself. */
  async drained(): Promise<void> {}

  async restart(reason: string): Promise<void> {
    this.#ports.logger.info('ollama.restart', { reason });
    this.#closed = false;
    if (this.#mode.kind === 'watched') {
      // Somebody else's server is never touched.
      await this.#mode.server.check();
      return;
    }
    if (this.#mode.kind === 'none') await this.#look(true);
    if (this.#mode.kind === 'managed') await this.#supervisor.restart();
  }

  async stop(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers.splice(0)) cancel();
    if (this.#mode.kind === 'watched') this.#mode.server.stop();
    await this.#supervisor.stop();
  }

  /** See `OllamaApi.pull`. */
  async pull(
    model: string,
    options: { insecure: boolean },
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#require().pull(model, options, onProgress, signal);
  }

  /** See `OllamaApi.createFromFolder`. */
  async createFromFolder(model: string, folder: string, signal: AbortSignal): Promise<void> {
    await this.#require().createFromFolder(model, folder, signal);
  }

  async createFrom(model: string, from: string, signal: AbortSignal): Promise<void> {
    await this.#require().createFrom(model, from, signal);
  }

  async deleteModel(model: string, signal: AbortSignal): Promise<void> {
    await this.#require().delete(model, signal);
  }

  #require(): OllamaApi {
    const serving =
      this.#mode.kind === 'watched' ? this.#mode.server.up : this.#supervisor.view().state === 'ready';
    if (!this.#api || !serving) throw this.#unavailable();
    return this.#api;
  }

  #unavailable(): TandemError {
    const { absence } = this.#board.current;
    if (this.#options.url !== null || absence === null) return down();
    return new TandemError('backend_absent', `Ollama is not installed. ${absence.cure}`);
  }

  #createApi(url: string): OllamaApi {
    return new OllamaApi({ url, fetcher: this.#options.fetcher, instanceId: this.#options.instanceId });
  }

  /** Adopts a server that has appeared, unless ours is at work; starts ours when there is none. */
  #look(locate = false): Promise<void> {
    if (this.#options.url !== null || this.#closed || this.#mode.kind === 'watched') return Promise.resolve();
    this.#looking ??= this.#lookOnce(locate).finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookOnce(locate: boolean): Promise<void> {
    if (this.#completions.active === 0) {
      for (const url of this.#options.candidates ?? [OLLAMA_DEFAULT_URL]) {
        if (await this.#watch(url, true)) return;
      }
    }
    if (this.#mode.kind === 'managed') return;
    if (locate || this.#board.current.absence === null) await this.#locate();
    if (this.#program === null || this.#closed) return;
    this.#mode = { kind: 'managed' };
    this.#board.set({ absence: null });
    this.#supervisor.start();
  }

  /** Begins to use somebody else's server if it answers; with a fixed address it is watched in any case. */
  async #watch(url: string, adopt: boolean): Promise<boolean> {
    const api = this.#createApi(url);
    const server = new WatchedServer({
      api,
      clock: this.#ports.clock,
      instanceId: this.#options.instanceId,
      refuseTandem: adopt,
      everyMs: this.#options.watchEveryMs ?? WATCH_EVERY_MS,
      timeoutMs: PROBE_TIMEOUT_MS,
      onUp: (version) => this.#onUp(api, server, version),
      onDown: (error) => this.#onDown(server, error),
    });
    if (!adopt) this.#mode = { kind: 'watched', server };
    const up = await server.start();
    if (!up && adopt) server.stop();
    return up;
  }

  #onUp(api: OllamaApi, server: WatchedServer, version: string): void {
    if (this.#closed) {
      server.stop();
      return;
    }
    const managed = this.#mode.kind === 'managed';
    this.#mode = { kind: 'watched', server };
    this.#api = api;
    this.#holder = null;
    this.#ports.logger.info('ollama.adopted', { version });
    if (managed) void this.#supervisor.stop();
    this.#board.set({
      state: 'adopted',
      stage: 'idle',
      url: api.url,
      version,
      ownership: isLoopback(api.url) ? 'adopted' : 'remote',
      readySince: this.#ports.clock.wall().getTime(),
      absence: null,
      nextStartAt: null,
      pid: null,
      model: null,
    });
    void this.#refreshFigures();
  }

  #onDown(server: WatchedServer, error: TandemError): void {
    if (this.#mode.kind !== 'watched' || this.#mode.server !== server) return;
    const known = this.#board.current.ownership !== 'none';
    const fixed = this.#options.url !== null;
    this.#api = null;
    this.#board.set({
      state: 'absent',
      stage: 'idle',
      ownership: 'none',
      readySince: null,
      model: null,
      pid: null,
      memoryBytes: null,
      url: fixed ? this.#options.url : null,
      absence: fixed
        ? {
            code: error.code === 'self_reference' ? error.code : 'ollama_down',
            cure: `${error.message} OLLAMA_API_URL names it; start it there or unset it.`,
          }
        : null,
      lastError: {
        code: error.code === 'self_reference' ? error.code : known ? 'vanished' : 'unreachable',
        message: error.message,
        at: this.#ports.clock.wall().getTime(),
      },
    });
    if (fixed) return;
    server.stop();
    this.#mode = { kind: 'none' };
    void this.#look(true);
  }

  async #locate(): Promise<void> {
    const found = await this.#options.locate();
    this.#program = 'path' in found ? found.path : null;
    if ('path' in found) return;
    const { code, cure, setup } = found.absent;
    this.#board.set({
      state: 'absent',
      stage: setup ? 'setup' : 'idle',
      ownership: 'none',
      absence: { code, cure },
    });
  }

  async #launch() {
    // Asked again each time: the set-up may have put a new program beside the old one.
    await this.#locate();
    if (this.#program === null) throw this.#unavailable();
    await this.#log.begin();
    return ollamaLaunchSpec(this.#program, this.#options.env, this.#log.file);
  }

  /** The API must answer, and where a very small model is installed, that model too. */
  async #probe(signal: AbortSignal, onStage: (stage: 'loading' | 'probing') => void): Promise<void> {
    let port: number | null = null;
    const listening = async () => {
      port = this.#log.port();
      return port !== null;
    };
    await pollUntil(listening, 20, this.#ports.clock, signal);
    const api = this.#createApi(`http://127.0.0.1:${port}`);
    const version = await api.version(signal);
    onStage('probing');
    const models = await this.#catalogue.list(api, signal);
    const small = models.find(
      (model) =>
        !model.remote &&
        model.capabilities.includes('completion') &&
        (model.sizeBytes ?? Infinity) <= PROBE_MODEL_BYTES,
    );
    if (small) await this.#tryModel(api, small.name, signal);
    this.#api = api;
    this.#board.set({ url: api.url, version });
  }

  /** One broken model must not keep the server from its others; a server that has died answers nothing at all. */
  async #tryModel(api: OllamaApi, model: string, signal: AbortSignal): Promise<void> {
    try {
      await oneToken(api, model, signal);
    } catch (error) {
      await api.version(signal);
      this.#ports.logger.warn('ollama.probe-model', { model, code: (error as TandemError).code });
    }
  }

  /** A stream that broke says more about the server than the next regular look. */
  #onFailure(error: unknown): void {
    const code = error instanceof TandemError ? error.code : 'internal';
    if (this.#mode.kind === 'watched') {
      if (code === 'ollama_down' || code === 'backend_failed') void this.#mode.server.check();
    } else if (code === 'timeout') this.#supervisor.reportHung();
  }

  /** Memory of the processes and the model in use; asked rarely, as both cost a little. */
  async #refreshFigures(): Promise<void> {
    const api = this.#api;
    if (this.#closed || !api) return;
    try {
      const [bytes, loaded] = await Promise.all([
        this.#residentBytes(api),
        api.loaded(AbortSignal.timeout(PROBE_TIMEOUT_MS)),
      ]);
      if (api !== this.#api) return;
      this.#board.set({
        memoryBytes: bytes,
        ...(this.#completions.active > 0 ? {} : { model: loaded[0] ?? null }),
      });
      if (this.#mode.kind === 'managed') await this.#supervisor.recordDescendants();
    } catch {
      // The watch and the supervisor notice a server that has gone.
    }
  }

  async #residentBytes(api: OllamaApi): Promise<number | null> {
    if (this.#mode.kind === 'managed') return this.#supervisor.residentBytes();
    const { findHolder } = this.#options;
    if (!findHolder || !isLoopback(api.url)) return null;
    // Looking for it is dear; it holds the port as long as the server answers.
    this.#holder ??= (await findHolder(Number(new URL(api.url).port || '80')))?.pid ?? null;
    return this.#holder === null ? null : this.#supervisor.residentBytes(this.#holder);
  }

  #publish(): void {
    const activeRequests = this.#completions.active;
    if (this.#mode.kind !== 'managed') {
      this.#board.set({ activeRequests });
      return;
    }
    const view = this.#supervisor.view();
    this.#board.set({
      state: view.state === 'ready' && activeRequests > 0 ? 'busy' : view.state,
      stage: view.stage,
      pid: view.pid,
      ownership: 'managed',
      readySince: view.readySince,
      restarts: view.restarts,
      nextStartAt: view.nextStartAt,
      activeRequests,
      ...(view.lastError === null
        ? {}
        : {
            lastError: {
              code: view.lastError.cause,
              message: exitWords('Ollama', view.lastError.cause),
              at: view.lastError.at,
            },
          }),
      ...(view.pid === null ? { model: null, url: null, memoryBytes: null } : {}),
    });
    if (view.state === 'ready' && this.#board.current.memoryBytes === null) void this.#refreshFigures();
  }
}

async function oneToken(api: OllamaApi, model: string, signal: AbortSignal): Promise<void> {
  const body = {
    model,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
    options: { num_predict: 1 },
    // Out of memory again right after.
    keep_alive: 0,
  };
  for await (const chunk of api.complete({ path: '/api/chat', body }, signal))
    if (chunk.type === 'end') return;
}

function isLoopback(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

function down(): TandemError {
  return new TandemError('ollama_down', 'Ollama is not running; it restarts by itself, or start it.');
}
