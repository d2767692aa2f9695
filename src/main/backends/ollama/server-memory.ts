import type { Figure } from '../../memory/types';
import type { Clock } from '../../ports/clock';
import type { OllamaApi } from './ollama-api';
import { PortMemory, type PortMemoryPorts } from './port-memory';
import type { Residents } from './residents';

export interface ServerMemoryOptions extends PortMemoryPorts {
  clock: Clock;
  residents: Residents;
  /** Bytes of a process and its children, of our own server without a pid; null = unknown. */
  residentBytes(pid?: number): Promise<number | null>;
}

/** Ollama tells nothing of the inside of its processes. */
const INSIDE = {
  inside: { weights: null, kvCache: null, buffers: null },
  peak: null,
  device: { workingSet: null, buffer: null },
} as const;

/** What the server in use takes of this machine's memory, as of the last look. */
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

  figures(): { process: Figure } & typeof INSIDE {
    return { process: this.#process, ...INSIDE };
  }

  /** Another server is used from now on. */
  changed(): void {
    this.#portMemory.forget();
    this.#process = this.#figure(null);
  }

  /** Looks again. @param managed the server is ours @throws TandemError when the server does not answer */
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
