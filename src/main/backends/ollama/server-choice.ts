import { isTandemError, TandemError } from '../../../shared/errors';
import type { SupervisorPorts } from '../../supervisor/supervisor';
import { isBroken } from '../broken';
import type { OllamaApi } from '../dialects/ollama/ollama-api';
import type { StatusBoard } from '../status-board';
import { DEFAULT_STREAM_LIMITS, type StreamLimits } from '../watch/stream-limits';
import { WatchedServer } from '../watch/watched-server';
import type { ManagedOllama } from './managed-ollama';
import { foundStatus, lostStatus } from './server-status';

export interface ServerChoiceOptions {
  /** The only address that may be used; null = search for a server, else start our own. */
  url: string | null;
  /** The variable or setting that names it. */
  setBy: string;
  candidates: readonly string[];
  instanceId: string;
  /** Interval of checking or searching for an external server, ms. */
  watchEveryMs?: number;
  stream?: Partial<StreamLimits>;
  board: StatusBoard;
  createApi(url: string): OllamaApi;
  /** Requests are being answered. */
  busy(): boolean;
  /** Another server is used from now on; `api` is null if it is ours. */
  onChosen(api: OllamaApi | null): void;
}

const WATCH_EVERY_MS = 5000;

type Mode =
  /** No server is wanted. */
  | { kind: 'stopped' }
  | { kind: 'none' }
  | { kind: 'watched'; server: WatchedServer<OllamaApi> }
  | { kind: 'managed' };

/**
 * Chooses the server: an external one while there is one, else our own. An external server is never stopped or changed,
 * and one that appears takes over: Ollama.app ends foreign servers, so competing with it would never end.
 */
export class ServerChoice {
  readonly #options: ServerChoiceOptions;
  readonly #ports: SupervisorPorts;
  readonly #managed: ManagedOllama;
  #mode: Mode = { kind: 'stopped' };
  #cancelTimer = () => {};
  #looking: Promise<void> | null = null;

  constructor(options: ServerChoiceOptions, managed: ManagedOllama, ports: SupervisorPorts) {
    this.#options = options;
    this.#managed = managed;
    this.#ports = ports;
  }

  get managed(): boolean {
    return this.#mode.kind === 'managed';
  }

  /** The server in use; null while none answers. */
  get current(): OllamaApi | null {
    if (this.#mode.kind === 'watched') return this.#mode.server.up ? this.#mode.server.api : null;
    return this.#managed.server?.api ?? null;
  }

  /** @throws TandemError `backend_absent` or `ollama_down` */
  require(): OllamaApi {
    const api = this.current;
    if (!api) throw this.#unavailable();
    return api;
  }

  /** Adopts a running server or starts our own; without either the state is `absent` with the cure. */
  async start(): Promise<void> {
    this.#mode = { kind: 'none' };
    const { url, watchEveryMs = WATCH_EVERY_MS } = this.#options;
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.clock.every(watchEveryMs, () => void this.#look());
    if (url !== null) await this.#watch(url, false);
    else await this.#look();
  }

  async relocate(): Promise<void> {
    await this.#look();
    if (this.#mode.kind === 'managed') await this.#managed.supervisor.revive();
    else if (this.#mode.kind === 'watched') await this.#mode.server.check();
  }

  async ensureReady(signal?: AbortSignal): Promise<void> {
    if (this.#mode.kind === 'none' || this.#isAbsent) await this.#look();
    if (this.#mode.kind === 'managed') {
      try {
        return await this.#managed.supervisor.ensureReady(signal, () => this.#unavailable());
      } catch (error) {
        if (!this.#isReplaced || signal?.aborted) throw error;
      }
      // Our server was stopped because an external one replaced it; use that one.
      return this.ensureReady(signal);
    }
    if (this.#mode.kind === 'watched' && (this.#mode.server.up || (await this.#mode.server.check()))) return;
    throw this.#unavailable();
  }

  async restart(): Promise<void> {
    if (this.#mode.kind === 'stopped') await this.start();
    if (this.#mode.kind === 'watched') {
      await this.#mode.server.check();
      return;
    }
    await this.#look();
    if (this.#mode.kind === 'managed') await this.#managed.supervisor.restart();
  }

  /** Ends our server because its program is about to be removed. */
  async release(): Promise<void> {
    await this.#managed.supervisor.release();
  }

  async stop(): Promise<void> {
    this.#cancelTimer();
    if (this.#mode.kind === 'watched') this.#mode.server.stop();
    this.#mode = { kind: 'stopped' };
    await this.#managed.supervisor.stop();
  }

  /** A stream broke: check the server at once instead of at the next interval. */
  async onFailure(error: unknown): Promise<void> {
    // An end without a last frame does not mean a dead server: Ollama ends a repeating answer that way.
    const incomplete = isTandemError(error) && error.details.cause === 'incomplete';
    if (incomplete || !isBroken(error)) return;
    if (this.#mode.kind === 'watched') void this.#mode.server.check();
    else await this.#managed.supervisor.connectionLost();
  }

  /** Call before our server is restarted: the program that ended it may have taken its place. */
  async adoptInstead(): Promise<void> {
    if (this.#looking === null && this.#mode.kind === 'managed') await this.#adopt();
  }

  /** Our server is the chosen one, and its program is missing. */
  get #isAbsent(): boolean {
    return this.#mode.kind === 'managed' && this.#managed.supervisor.view().state === 'absent';
  }

  /** An external server, or the search for one, has replaced ours. */
  get #isReplaced(): boolean {
    return this.#mode.kind === 'watched' || this.#mode.kind === 'none';
  }

  #unavailable(): TandemError {
    const { absence } = this.#managed;
    if (!this.#isAbsent || absence === null) return down();
    return new TandemError('backend_absent', `Ollama is not installed. ${absence.cure}`);
  }

  #look(): Promise<void> {
    const { kind } = this.#mode;
    if (this.#options.url !== null || kind === 'stopped' || kind === 'watched') return Promise.resolve();
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    if (await this.#adopt()) return;
    // The choice was stopped meanwhile, or our server is already chosen.
    if (this.#mode.kind !== 'none') return;
    this.#mode = { kind: 'managed' };
    this.#options.onChosen(null);
    await this.#managed.supervisor.start();
  }

  /** Our server is not ended during an answer; the search for external servers runs again soon. */
  #occupied(): boolean {
    const ours = this.#managed.supervisor.view().state;
    return this.#mode.kind === 'managed' && ours === 'ready' && this.#options.busy();
  }

  async #adopt(): Promise<boolean> {
    if (this.#occupied()) return false;
    for (const url of this.#options.candidates) if (await this.#watch(url, true)) return true;
    return false;
  }

  /** Uses an external server if it answers; a fixed address is watched in any case. */
  async #watch(url: string, adopt: boolean): Promise<boolean> {
    const { createApi, instanceId, stream, watchEveryMs = WATCH_EVERY_MS } = this.#options;
    const server = new WatchedServer({
      api: createApi(url),
      clock: this.#ports.clock,
      instanceId,
      refuseTandem: adopt,
      everyMs: watchEveryMs,
      timeoutMs: stream?.probeMs ?? DEFAULT_STREAM_LIMITS.probeMs,
      onUp: (version) => this.#onUp(server, version),
      onDown: (error) => this.#onDown(server, error),
    });
    if (!adopt) this.#mode = { kind: 'watched', server };
    const up = await server.start();
    if (!up && adopt) server.stop();
    return up;
  }

  #onUp(server: WatchedServer<OllamaApi>, version: string): void {
    if (this.#mode.kind === 'stopped' || this.#occupied()) {
      server.stop();
      return;
    }
    const replaced = this.#mode.kind === 'managed';
    this.#mode = { kind: 'watched', server };
    this.#ports.logger.info('ollama.adopted', { version });
    if (replaced) void this.#managed.supervisor.stop();
    this.#options.board.set(foundStatus(server.api.url, version, this.#ports.clock.wall().getTime()));
    this.#options.onChosen(server.api);
  }

  #onDown(server: WatchedServer<OllamaApi>, error: TandemError): void {
    if (this.#mode.kind !== 'watched' || this.#mode.server !== server) return;
    const { board, url, setBy } = this.#options;
    const known = board.current.ownership !== 'none';
    const fixed = url === null ? null : { url, setBy, backend: board.current.id };
    board.set(lostStatus(fixed, known, error, this.#ports.clock.wall().getTime()));
    if (url !== null) return;
    server.stop();
    this.#mode = { kind: 'none' };
    void this.#look();
  }
}

export function down(): TandemError {
  return new TandemError('ollama_down', 'Ollama is not running; it restarts by itself, or start it.');
}
