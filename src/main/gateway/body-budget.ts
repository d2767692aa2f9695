import { TandemError } from '../../shared/errors';

const MB = 1024 * 1024;
/** Total size of request bodies at a time, per client and overall. */
const CLIENT_BYTES = 64 * MB;
const TOTAL_BYTES = 256 * MB;

/** The body of one request, from its first byte until the request has been answered. */
export interface HeldBody {
  /** Counts received bytes. Throws `queue_full` if they exceed a limit. */
  add(bytes: number): void;
  /** Call when the request has been answered. Safe to call twice. */
  release(): void;
}

/** Counts the bytes of request bodies, per client and overall; all listeners share one budget. */
export class BodyBudget {
  readonly #limits: { client: number; total: number };
  readonly #byClient = new Map<string, number>();
  #total = 0;

  constructor(limits = { client: CLIENT_BYTES, total: TOTAL_BYTES }) {
    this.#limits = limits;
  }

  /** @param client see `limitedClientOf` */
  hold(client: string): HeldBody {
    let held = 0;
    return {
      add: (bytes) => {
        this.#take(client, bytes);
        held += bytes;
      },
      release: () => {
        this.#give(client, held);
        held = 0;
      },
    };
  }

  #take(client: string, bytes: number): void {
    const own = (this.#byClient.get(client) ?? 0) + bytes;
    if (own > this.#limits.client) throw full(`your requests hold ${megabytes(this.#limits.client)} already`);
    if (this.#total + bytes > this.#limits.total) {
      throw full(`all requests hold ${megabytes(this.#limits.total)} already`);
    }
    this.#byClient.set(client, own);
    this.#total += bytes;
  }

  #give(client: string, bytes: number): void {
    if (bytes === 0) return;
    const own = (this.#byClient.get(client) ?? 0) - bytes;
    if (own > 0) this.#byClient.set(client, own);
    else this.#byClient.delete(client);
    this.#total -= bytes;
  }
}

function full(cause: string): TandemError {
  return new TandemError('queue_full', `${cause}; send this one again when some have been answered`);
}

function megabytes(bytes: number): string {
  return `${bytes / MB} MB`;
}
