import { isTandemError, TandemError } from '../../../shared/errors';
import type { SupervisorPorts } from '../../supervisor/supervisor';
import { isBroken } from '../broken';
import type { StatusBoard } from '../status-board';
import type { ManagedOllama } from './managed-ollama';
import type { OllamaApi } from './ollama-api';
import { WatchedServer } from './watched-server';
import { foundStatus, lostStatus } from './watched-status';

export interface ServerChoiceOptions {
  /** The only address that may be used; null = look for a server, else start our own. */
  url: string | null;
  candidates: readonly string[];
  instanceId: string;
  /** How often a server of somebody else is asked or looked for, ms. */
  watchEveryMs?: number;
  board: StatusBoard;
  createApi(url: string): OllamaApi;
  /** Requests are being answered. */
  busy(): boolean;
  /** Another server is used from now on; `api` is null while that is one of ours. */
  onChosen(api: OllamaApi | null): void;
}

const WATCH_EVERY_MS = 5000;
const PROBE_TIMEOUT_MS = 2000;

type Mode =
  /** None is wanted. */
  { kind: 'stopped' } | { kind: 'none' } | { kind: 'watched'; server: WatchedServer } | { kind: 'managed' };

/**
 * Which server is used: somebody else's while there is one, else our own. Somebody else's is never touched, and one
 * that appears takes over: Ollama.app ends foreign servers, so that fighting for the place would never end.
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

  /** The server in use; null while there is none that answers. */
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
      // Ours was stopped because somebody else's has taken its place, which will do as well.
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

  /** Ends ours, as its program is about to be removed. */
  async release(): Promise<void> {
    await this.#managed.supervisor.release();
  }

  async stop(): Promise<void> {
    this.#cancelTimer();
    if (this.#mode.kind === 'watched') this.#mode.server.stop();
    this.#mode = { kind: 'stopped' };
    await this.#managed.supervisor.stop();
  }

  /** A stream broke, which says more about the server than the next regular look. */
  async onFailure(error: unknown): Promise<void> {
    // An end without a last frame is no sign of a dead server: Ollama ends an answer so that repeats itself.
    const incomplete = isTandemError(error) && error.details.cause === 'incomplete';
    if (incomplete || !isBroken(error)) return;
    if (this.#mode.kind === 'watched') void this.#mode.server.check();
    else await this.#managed.supervisor.connectionLost();
  }

  /** To be asked before ours is started again: whoever ended it may have taken its place. */
  async adoptInstead(): Promise<void> {
    if (this.#looking === null && this.#mode.kind === 'managed') await this.#adopt();
  }

  /** Ours is the one, and its program is missing. */
  get #isAbsent(): boolean {
    return this.#mode.kind === 'managed' && this.#managed.supervisor.view().state === 'absent';
  }

  /** Somebody else's server, or the search for one, has taken the place of ours. */
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
    // Stopped meanwhile, or ours is there already.
    if (this.#mode.kind !== 'none') return;
    this.#mode = { kind: 'managed' };
    this.#options.onChosen(null);
    await this.#managed.supervisor.start();
  }

  /** Ours is not ended in the middle of an answer: whoever has appeared is looked for again soon. */
  #occupied(): boolean {
    const ours = this.#managed.supervisor.view().state;
    return this.#mode.kind === 'managed' && ours === 'ready' && this.#options.busy();
  }

  async #adopt(): Promise<boolean> {
    if (this.#occupied()) return false;
    for (const url of this.#options.candidates) if (await this.#watch(url, true)) return true;
    return false;
  }

  /** Begins to use somebody else's server if it answers; with a fixed address it is watched in any case. */
  async #watch(url: string, adopt: boolean): Promise<boolean> {
    const { createApi, instanceId, watchEveryMs = WATCH_EVERY_MS } = this.#options;
    const server = new WatchedServer({
      api: createApi(url),
      clock: this.#ports.clock,
      instanceId,
      refuseTandem: adopt,
      everyMs: watchEveryMs,
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

  #onDown(server: WatchedServer, error: TandemError): void {
    if (this.#mode.kind !== 'watched' || this.#mode.server !== server) return;
    const { board, url } = this.#options;
    const known = board.current.ownership !== 'none';
    board.set(lostStatus(url, known, error, this.#ports.clock.wall().getTime()));
    if (url !== null) return;
    server.stop();
    this.#mode = { kind: 'none' };
    void this.#look();
  }
}

export function down(): TandemError {
  return new TandemError('ollama_down', 'Ollama is not running; it restarts by itself, or start it.');
}
