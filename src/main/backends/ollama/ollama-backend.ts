import type { CompletionChunk, ModelInfo } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { ExitCause } from '../../../shared/incidents';
import type { BackendStatus } from '../../../shared/status';
import type { Fetcher, Poster } from '../../ports/fetcher';
import { type LimitsSource, readLimits } from '../../supervisor/limits';
import type { SupervisorPorts } from '../../supervisor/supervisor';
import type { Backend, BackendCapabilities, BackendRequest } from '../backend';
import { isBroken } from '../broken';
import type { Locate } from '../locate';
import { StatusBoard } from '../status-board';
import { supervisedStatus } from '../supervised-status';
import { Catalogue } from './catalogue';
import { Completions, DEFAULT_STREAM_LIMITS, type StreamLimits } from './completions';
import { ManagedOllama } from './managed-ollama';
import { OllamaApi, type PullProgress } from './ollama-api';
import { PortMemory } from './port-memory';
import { WatchedServer } from './watched-server';
import { foundStatus, lostStatus } from './watched-status';

export interface OllamaBackendOptions {
  /** `OLLAMA_API_URL`: that server only, nothing is started here. Null = look for one, else start our own. */
  url: string | null;
  /** Addresses where a server of somebody else is looked for, in this order. */
  candidates?: readonly string[];
  /** Where the Ollama program is. Asked when no server was found, at `relocate` and at manual restarts. */
  locate: Locate;
  /** The server's own log; set aside as `.1` when large. */
  logFile: string;
  /** Resolves when memory allows a start; `cause` is what ended the last run. */
  mayStart?(signal: AbortSignal, cause: ExitCause | null): Promise<void>;
  /** Process that listens on a port of this machine, to know an adopted server's memory. */
  findHolder?(port: number): Promise<{ pid: number } | null>;
  env: Readonly<Record<string, string | undefined>>;
  fetcher: Fetcher;
  post: Poster;
  instanceId: string;
  limits?: LimitsSource;
  stream?: Partial<StreamLimits>;
  /** How often a server of somebody else is asked or looked for, ms. */
  watchEveryMs?: number;
}

export const OLLAMA_CAPABILITIES: BackendCapabilities = {
  tools: true,
  images: true,
  jsonSchema: true,
};

export const OLLAMA_DEFAULT_URL = 'http://127.0.0.1:11434';
const WATCH_EVERY_MS = 5000;
const PROBE_TIMEOUT_MS = 2000;
const FIGURES_EVERY_MS = 10_000;
type Mode = { kind: 'none' } | { kind: 'watched'; server: WatchedServer } | { kind: 'managed' };

/** Ollama: somebody else's server if there is one, else a supervised one of our own. */
export class OllamaBackend implements Backend {
  readonly id = 'ollama';
  readonly capabilities = OLLAMA_CAPABILITIES;
  readonly #options: OllamaBackendOptions;
  readonly #ports: SupervisorPorts;
  readonly #board: StatusBoard;
  readonly #managed: ManagedOllama;
  readonly #completions: Completions;
  readonly #catalogue = new Catalogue('ollama');
  readonly #portMemory: PortMemory;
  #mode: Mode = { kind: 'none' };
  #program: string | null = null;
  #timers: (() => void)[] = [];
  #looking: Promise<void> | null = null;
  #closed = false;

  readonly onStatus;

  constructor(options: OllamaBackendOptions, ports: SupervisorPorts) {
    const limits = readLimits(options.limits);
    this.#options = options;
    this.#ports = ports;
    this.#board = new StatusBoard('ollama', limits().maxRestarts);
    this.onStatus = this.#board.onStatus;
    this.#completions = new Completions(ports.clock, { ...DEFAULT_STREAM_LIMITS, ...options.stream }, () =>
      this.#publish(),
    );
    this.#managed = new ManagedOllama(
      {
        program: () => this.#requireProgram(),
        logFile: options.logFile,
        env: options.env,
        createApi: (url) => this.#createApi(url),
        catalogue: this.#catalogue,
        limits,
        mayStart: (signal, cause) => options.mayStart?.(signal, cause) ?? Promise.resolve(),
      },
      ports,
    );
    this.#managed.supervisor.onChange(() => this.#publish());
    this.#portMemory = new PortMemory({
      findHolder: options.findHolder,
      residentBytes: (pid) => this.#managed.supervisor.residentBytes(pid),
    });
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
    if (this.#mode.kind === 'managed') this.#managed.supervisor.revive();
    else if (this.#mode.kind === 'watched') await this.#mode.server.check();
  }

  async models(signal: AbortSignal = AbortSignal.timeout(30_000)): Promise<ModelInfo[]> {
    return this.#catalogue.list(this.#require(), signal);
  }

  async ensureReady(signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw down();
    if (this.#mode.kind === 'none' && this.#options.url === null) await this.#look(true);
    if (this.#mode.kind === 'managed') return this.#managed.supervisor.ensureReady(signal, down);
    if (this.#mode.kind === 'watched' && (this.#mode.server.up || (await this.#mode.server.check()))) return;
    throw this.#unavailable();
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const api = this.#require();
    try {
      await this.#catalogue.refuseRemote(api, request.model, signal);
      for await (const chunk of this.#completions.run(api, request, signal)) {
        if (chunk.type === 'text') this.#board.set({ model: request.model });
        yield chunk;
      }
    } catch (error) {
      if (!signal.aborted) await this.#onFailure(error);
      throw error;
    }
  }

  /**
   * At once. Ollama stops within 50 ms of a cancelled answer; only a prompt that is being evaluated is computed to its
   * end, and the next request waits for that inside the server. Nothing tells when: `/api/ps` and `/api/version` answer
   * as if it were idle. A probe would have to be a completion, which loads a model again whose load was just cancelled
   * and takes the prompt cache of the next turn away, so that asking costs more than not knowing.
   */
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
    if (this.#mode.kind === 'managed') await this.#managed.supervisor.restart();
  }

  async stop(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers.splice(0)) cancel();
    if (this.#mode.kind === 'watched') this.#mode.server.stop();
    await this.#managed.supervisor.stop();
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

  /** The server in use; null while there is none that answers. */
  #current(): OllamaApi | null {
    if (this.#mode.kind === 'watched') return this.#mode.server.up ? this.#mode.server.api : null;
    return this.#managed.server?.api ?? null;
  }

  #require(): OllamaApi {
    const api = this.#current();
    if (!api) throw this.#unavailable();
    return api;
  }

  /** Asked again before each start: the set-up may have put a new program beside the old one. */
  async #requireProgram(): Promise<string> {
    await this.#locate();
    if (this.#program === null) throw this.#unavailable();
    return this.#program;
  }

  #unavailable(): TandemError {
    const { absence } = this.#board.current;
    if (this.#options.url !== null || absence === null) return down();
    return new TandemError('backend_absent', `Ollama is not installed. ${absence.cure}`);
  }

  #createApi(url: string): OllamaApi {
    const { fetcher, post, instanceId } = this.#options;
    return new OllamaApi({ url, fetcher, post, instanceId });
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
    this.#managed.supervisor.start();
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
      onUp: (version) => this.#onUp(server, version),
      onDown: (error) => this.#onDown(server, error),
    });
    if (!adopt) this.#mode = { kind: 'watched', server };
    const up = await server.start();
    if (!up && adopt) server.stop();
    return up;
  }

  #onUp(server: WatchedServer, version: string): void {
    const { api } = server;
    const managed = this.#mode.kind === 'managed';
    // Ours is not ended in the middle of an answer: whoever appeared is looked for again soon.
    if (this.#closed || (managed && this.#completions.active > 0)) {
      server.stop();
      return;
    }
    this.#mode = { kind: 'watched', server };
    this.#portMemory.forget();
    this.#ports.logger.info('ollama.adopted', { version });
    if (managed) void this.#managed.supervisor.stop();
    this.#board.set(foundStatus(api.url, version, this.#ports.clock.wall().getTime()));
    void this.#refreshFigures();
  }

  #onDown(server: WatchedServer, error: TandemError): void {
    if (this.#mode.kind !== 'watched' || this.#mode.server !== server) return;
    const known = this.#board.current.ownership !== 'none';
    const fixed = this.#options.url;
    this.#board.set(lostStatus(fixed, known, error, this.#ports.clock.wall().getTime()));
    if (fixed !== null) return;
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

  /** A stream that broke says more about the server than the next regular look. */
  async #onFailure(error: unknown): Promise<void> {
    if (this.#mode.kind === 'watched') {
      if (isBroken(error)) void this.#mode.server.check();
    } else if (isBroken(error)) await this.#managed.supervisor.connectionLost();
    else if (error instanceof TandemError && error.code === 'timeout') this.#managed.supervisor.reportHung();
  }

  /** Memory of the processes and the model in use; asked rarely, as both cost a little. */
  async #refreshFigures(): Promise<void> {
    const api = this.#current();
    if (this.#closed || !api) return;
    try {
      const [bytes, loaded] = await Promise.all([
        this.#mode.kind === 'managed'
          ? this.#managed.supervisor.residentBytes()
          : this.#portMemory.bytes(api.url),
        api.loaded(AbortSignal.timeout(PROBE_TIMEOUT_MS)),
      ]);
      if (api !== this.#current()) return;
      this.#board.set({
        memoryBytes: bytes,
        ...(this.#completions.active > 0 ? {} : { model: loaded[0] ?? null }),
      });
      if (this.#mode.kind === 'managed') await this.#managed.supervisor.recordDescendants();
    } catch {
      // The watch and the supervisor notice a server that has gone.
    }
  }

  #publish(): void {
    const activeRequests = this.#completions.active;
    if (this.#mode.kind !== 'managed') {
      this.#board.set({ activeRequests });
      return;
    }
    const view = this.#managed.supervisor.view();
    const server = this.#managed.server;
    this.#board.set({
      ...supervisedStatus(view, 'Ollama', activeRequests, 0),
      ...(server ? { url: server.api.url, version: server.version } : {}),
    });
    if (view.state === 'ready' && this.#board.current.memoryBytes === null) void this.#refreshFigures();
  }
}

function down(): TandemError {
  return new TandemError('ollama_down', 'Ollama is not running; it restarts by itself, or start it.');
}
