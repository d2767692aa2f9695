import type { Figure, MemoryFigures } from '../../memory/types';
import type { Clock } from '../../ports/clock';
import type { OllamaApi } from '../dialects/ollama/ollama-api';
import type { Residents } from './residents';
import { isLoopbackUrl } from './server-status';

export interface ServerMemoryOptions {
  clock: Clock;
  residents: Residents;
  /** The process that listens on a local port. */
  findHolder?(port: number): Promise<{ pid: number; name: string } | null>;
  /** Bytes of a process and its children; without a pid those of our server. Null = unknown. */
  residentBytes(pid?: number): Promise<number | null>;
  /** Does one of its processes compute with Ollama's own MLX engine? */
  usesMlxEngine(): Promise<boolean>;
}

/** `maxPagedOutBytes` of Ollama's MLX engine: snapshots of prompts, on top of weights and context. */
const MLX_ENGINE_GROWTH_BYTES = 8 * 1024 ** 3;

/** Ollama reports nothing about the inside of its processes. */
const INSIDE = {
  inside: { weights: null, kvCache: null, buffers: null },
  peak: null,
  device: { workingSet: null, buffer: null },
} as const;

/** Memory of this machine that the server in use takes, at the last reading. */
export class ServerMemory {
  readonly #options: ServerMemoryOptions;
  /** The process at the last address: the search is expensive, and a server keeps its port as long as it answers. */
  #holder: { url: string; pid: number; name: string } | null = null;
  #process: Figure;
  #mlxEngine = false;

  constructor(options: ServerMemoryOptions) {
    this.#options = options;
    this.#process = this.#figure(null);
  }

  get bytes(): number | null {
    return this.#process.bytes;
  }

  /** The external server's process if it is an Ollama: a tunnel or a container's proxy may hold the port. */
  get externalPid(): number | null {
    return this.#holder?.name.toLowerCase() === 'ollama' ? this.#holder.pid : null;
  }

  figures(): MemoryFigures {
    return { process: this.#process, ...INSIDE, ...this.#growth() };
  }

  /** What the snapshots of the MLX engine may still take; what its processes have grown since the load is deducted. */
  #growth(): Pick<MemoryFigures, 'mayGrow'> {
    const { bytes, at } = this.#process;
    if (!this.#mlxEngine || bytes === null) return {};
    const grown = Math.max(0, bytes - this.#options.residents.loadedBytes);
    return { mayGrow: { bytes: Math.max(0, MLX_ENGINE_GROWTH_BYTES - grown), source: 'estimate', at } };
  }

  /** Another server is used from now on. */
  changed(): void {
    this.#holder = null;
    this.#process = this.#figure(null);
    this.#mlxEngine = false;
  }

  /** Reads it again. @param managed the server is ours @throws TandemError when the server does not answer */
  async refresh(api: OllamaApi, managed: boolean, signal: AbortSignal): Promise<void> {
    const { residentBytes, residents, usesMlxEngine } = this.#options;
    const [bytes] = await Promise.all([
      managed ? residentBytes() : this.#bytesAt(api.url),
      residents.refresh(api, signal),
    ]);
    this.#process = this.#figure(bytes);
    this.#mlxEngine = residents.first !== null && (await usesMlxEngine());
  }

  /** Null when the server is on another machine, or cannot be found. */
  async #bytesAt(url: string): Promise<number | null> {
    const { findHolder, residentBytes } = this.#options;
    if (!findHolder || !isLoopbackUrl(url)) return null;
    if (this.#holder?.url !== url) {
      const found = await findHolder(Number(new URL(url).port || '80'));
      if (!found) return null;
      this.#holder = { ...found, url };
    }
    return residentBytes(this.#holder.pid);
  }

  #figure(bytes: number | null): Figure {
    return { bytes, source: 'proc', at: this.#options.clock.wall().getTime() };
  }
}
