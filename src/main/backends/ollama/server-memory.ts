import type { Figure } from '../../memory/types';
import type { Clock } from '../../ports/clock';
import type { OllamaApi } from './ollama-api';
import { PortMemory, type PortMemoryPorts } from './port-memory';
import type { Residents } from './residents';

export interface ServerMemoryOptions extends PortMemoryPorts {
  clock: Clock;
  residents: Residents;
  /** Bytes of a process and its children; without a pid those of our server. Null = unknown. */
  residentBytes(pid?: number): Promise<number | null>;
}

/** Ollama reports nothing about the inside of its processes. */
const INSIDE = {
  inside: { weights: null, kvCache: null, buffers: null },
  peak: null,
  device: { workingSet: null, buffer: null },
} as const;

/** Memory of this machine that the server in use takes, at the last reading. */
export class ServerMemory {
  readonly #options: ServerMemoryOptions;
  readonly #portMemory: PortMemory;
  #process: Figure;

  constructor(options: ServerMemoryOptions) {
    this.#options = options;
    this.#portMemory = new PortMemory(options);
    this.#process = this.#figure(null);
  }

  get bytes(): number | null {
    return this.#process.bytes;
  }

  /** See `PortMemory.ollamaPid`. */
  get externalPid(): number | null {
    return this.#portMemory.ollamaPid;
  }

  figures(): { process: Figure } & typeof INSIDE {
    return { process: this.#process, ...INSIDE };
  }

  /** Another server is used from now on. */
  changed(): void {
    this.#portMemory.forget();
    this.#process = this.#figure(null);
  }

  /** Reads it again. @param managed the server is ours @throws TandemError when the server does not answer */
  async refresh(api: OllamaApi, managed: boolean, signal: AbortSignal): Promise<void> {
    const { residentBytes, residents } = this.#options;
    const [bytes] = await Promise.all([
      managed ? residentBytes() : this.#portMemory.bytes(api.url),
      residents.refresh(api, signal),
    ]);
    this.#process = this.#figure(bytes);
  }

  #figure(bytes: number | null): Figure {
    return { bytes, source: 'proc', at: this.#options.clock.wall().getTime() };
  }
}
