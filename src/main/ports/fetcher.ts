/** HTTP as the core sees it: the standard `fetch`. */
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
  /** The body as it comes. Leaving the iteration leaves the answer open: `close` ends it. */
  bytes(): AsyncIterable<Uint8Array>;
  /** The whole body, parsed; for the few bytes of a refusal. */
  json(): Promise<unknown>;
  /**
   * To be called once, whatever happened. After a complete answer what may still follow (the end of the encoding) is
   * read off, so that the connection serves the next call; otherwise the connection is closed.
   */
  close(complete: boolean): void;
}

/**
 * Streams the answer to one call. Stands beside `Fetcher` for the hot path: web streams and the objects around them cost
 * four times the CPU of the call itself.
 */
export type Poster = (url: string, post: Post) => Promise<PostAnswer>;
