import { TandemError } from '../../../shared/errors';
import type { Clock } from '../../ports/clock';
import { isSilence } from './deadline';
import type { OllamaApi } from './ollama-api';

export interface WatchOptions {
  api: OllamaApi;
  clock: Clock;
  /** Id of this instance: a server with the same one is ourselves. */
  instanceId: string;
  /** Never take any Tandem for an Ollama, not even another instance's. */
  refuseTandem: boolean;
  everyMs: number;
  timeoutMs: number;
  onUp(version: string): void;
  onDown(error: TandemError): void;
}

/** Asks a server that is not ours whether it is there, and never does anything else to it. */
export class WatchedServer {
  readonly #options: WatchOptions;
  #up: boolean | null = null;
  /** The last question was answered by silence. */
  #silent = false;
  #stop: (() => void) | null = null;
  #asking: Promise<boolean> | null = null;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  get api(): OllamaApi {
    return this.#options.api;
  }

  get up(): boolean {
    return this.#up === true;
  }

  /** Begins to watch; resolves with the first answer. */
  start(): Promise<boolean> {
    this.#stop ??= this.#options.clock.every(this.#options.everyMs, () => void this.check());
    return this.check();
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  /** Asks now; calls while one runs share it. Never rejects. */
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
      // Whoever answers may have changed while it was away.
      if (!this.up) await this.#refuseSelf(signal);
      const version = await api.version(signal);
      this.#silent = false;
      if (!this.up && this.#watched()) {
        this.#up = true;
        this.#options.onUp(version);
      }
    } catch (error) {
      // One that gives no answer in time may just be busy; only the second silence in a row counts.
      if (this.up && isSilence(error) && !this.#silent) this.#silent = true;
      else if (this.#up !== false && this.#watched()) {
        this.#up = false;
        this.#options.onDown(asError(error));
      }
    }
    return this.up;
  }

  /** False once `stop` was called: what was under way then has no effect any more. */
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
