import { isLoopbackUrl } from './watched-status';

export interface PortMemoryPorts {
  /** The process that listens on a local port. */
  findHolder?(port: number): Promise<{ pid: number; name: string } | null>;
  /** Bytes of a process and its children; null = unknown. */
  residentBytes(pid: number): Promise<number | null>;
}

/** Memory of the server behind an address, found by the port it listens on; it is only read, never changed. */
export class PortMemory {
  readonly #ports: PortMemoryPorts;
  /** The search is expensive, and the server keeps the port as long as it answers. */
  #holder: { url: string; pid: number; name: string } | null = null;

  constructor(ports: PortMemoryPorts) {
    this.#ports = ports;
  }

  /** The server's process if it is an Ollama: a tunnel or a container's proxy may hold the port. Null = unknown. */
  get ollamaPid(): number | null {
    return this.#holder?.name.toLowerCase() === 'ollama' ? this.#holder.pid : null;
  }

  /** Null when the server is on another machine, or cannot be found. */
  async bytes(url: string): Promise<number | null> {
    const { findHolder, residentBytes } = this.#ports;
    if (!findHolder || !isLoopbackUrl(url)) return null;
    if (this.#holder?.url !== url) {
      const found = await findHolder(Number(new URL(url).port || '80'));
      if (!found) return null;
      this.#holder = { ...found, url };
    }
    return residentBytes(this.#holder.pid);
  }

  /** Another process may serve the address now. */
  forget(): void {
    this.#holder = null;
  }
}
