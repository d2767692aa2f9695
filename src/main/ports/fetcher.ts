/** The core's HTTP client: the standard `fetch`. */
export type Fetcher = typeof fetch;

/** One JSON body to send. */
export interface Post {
  headers: Readonly<Record<string, string>>;
  /** The text, or its bytes in pieces. */
  body: string | readonly Uint8Array[];
  /** Closes the connection at once, also before the first byte. */
  signal: AbortSignal;
}

export interface PostAnswer {
  status: number;
  /** The body as it arrives. Leaving the iteration does not close the answer; `close` does. */
  bytes(): AsyncIterable<Uint8Array>;
  /** The whole body, parsed; for short error bodies. */
  json(): Promise<unknown>;
  /**
   * Call exactly once, in every case. After a complete answer the rest (the end of the encoding) is read, so that the
   * connection can be reused; otherwise the connection is closed.
   */
  close(complete: boolean): void;
}

/**
 * Streams the answer to one call. Exists in addition to `Fetcher` for the hot path: web streams and the objects around
 * them cost four times the CPU of the call itself.
 */
export type Poster = (url: string, post: Post) => Promise<PostAnswer>;
