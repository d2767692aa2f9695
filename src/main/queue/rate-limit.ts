import type { Clock } from '../ports/clock';

export interface RateLimitOptions {
  clock: Clock;
  /** Called for every request, so a changed setting applies at once. `max` 0 = off. */
  limits: () => { max: number; windowMs: number };
  /** Most clients tracked; beyond that the least recently used one is dropped. */
  maxClients?: number;
}

interface Window {
  startedAt: number;
  count: number;
}

const MAX_CLIENTS = 1000;

/** Counts requests per client in fixed windows; the number of clients tracked bounds its memory. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #limits: RateLimitOptions['limits'];
  readonly #maxClients: number;
  /** In order of last use: a `Map` keeps insertion order, so a used client is deleted and inserted again. */
  readonly #windows = new Map<string, Window>();

  constructor(options: RateLimitOptions) {
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#maxClients = options.maxClients ?? MAX_CLIENTS;
  }

  /**
   * Counts one request. Returns 0 when it may pass, else the seconds until the client's next window. A client is
   * identified by the text before the first space or `#`: the part it chooses itself must not raise a limit.
   */
  take(client: string): number {
    const { max, windowMs } = this.#limits();
    if (max === 0) return 0;
    const now = this.#clock.now();
    const window = this.#windowOf(client.split(/[ #]/, 1)[0] ?? client, now, windowMs);
    if (window.count >= max) return Math.max(1, Math.ceil((window.startedAt + windowMs - now) / 1000));
    window.count += 1;
    return 0;
  }

  /** Clients tracked now, for `/health`. */
  get clients(): number {
    return this.#windows.size;
  }

  #windowOf(client: string, now: number, windowMs: number): Window {
    const known = this.#windows.get(client);
    this.#windows.delete(client);
    const window = known && now - known.startedAt < windowMs ? known : { startedAt: now, count: 0 };
    this.#windows.set(client, window);
    if (this.#windows.size > this.#maxClients) {
      const oldest = this.#windows.keys().next();
      if (!oldest.done) this.#windows.delete(oldest.value);
    }
    return window;
  }
}
