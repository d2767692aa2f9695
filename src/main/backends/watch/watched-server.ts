import { TandemError } from '../../../shared/errors';
import type { Clock } from '../../ports/clock';
import { isSilence } from './deadline';

/** What the watch asks of a server. */
export interface WatchedApi {
  readonly url: string;
  version(signal: AbortSignal): Promise<string>;
  /** See `OllamaApi.tandemInstance`. */
  tandemInstance(signal: AbortSignal): Promise<string | null>;
}

export interface WatchOptions<A extends WatchedApi> {
  api: A;
  clock: Clock;
  /** Id of this instance: a server that reports the same id is this instance. */
  instanceId: string;
  /** Reject every Tandem as an Ollama server, even another instance. */
  refuseTandem: boolean;
  everyMs: number;
  timeoutMs: number;
  onUp(version: string): void;
  onDown(error: TandemError): void;
}

/** Checks whether an external server answers, and never changes it. */
export class WatchedServer<A extends WatchedApi> {
  readonly #options: WatchOptions<A>;
  #up: boolean | null = null;
  /** The last check timed out. */
  #silent = false;
  #stop: (() => void) | null = null;
  #asking: Promise<boolean> | null = null;

  constructor(options: WatchOptions<A>) {
    this.#options = options;
  }

  get api(): A {
    return this.#options.api;
  }

  get up(): boolean {
    return this.#up === true;
  }

  /** Starts watching; resolves with the result of the first check. */
  start(): Promise<boolean> {
    this.#stop ??= this.#options.clock.every(this.#options.everyMs, () => void this.check());
    return this.check();
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  /** Checks now; concurrent calls share one check. Never rejects. */
  check(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    const { api, timeoutMs } = this.#options;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      // Another program may answer at the address now.
      if (!this.up) await this.#refuseSelf(signal);
      const version = await api.version(signal);
      this.#silent = false;
      if (!this.up && this.#watched()) {
        this.#up = true;
        this.#options.onUp(version);
      }
    } catch (error) {
      // A timeout may just mean a busy server; only the second one in a row counts.
      if (this.up && isSilence(error) && !this.#silent) this.#silent = true;
      else if (this.#up !== false && this.#watched()) {
        this.#up = false;
        this.#options.onDown(asError(error));
      }
    }
    return this.up;
  }

  /** False after `stop`: results of a check under way are ignored then. */
  #watched(): boolean {
    return this.#stop !== null;
  }

  async #refuseSelf(signal: AbortSignal): Promise<void> {
    const { api, instanceId, refuseTandem } = this.#options;
    const instance = await api.tandemInstance(signal);
    if (instance === null || (instance !== instanceId && !refuseTandem)) return;
    throw new TandemError(
      'self_reference',
      `${api.url} leads to Tandem itself; give the server's own address.`,
    );
  }
}

function asError(error: unknown): TandemError {
  return error instanceof TandemError
    ? error
    : new TandemError('ollama_down', 'The server does not answer.', { cause: error });
}
