import { Agent, install, request, fetch as undiciFetch } from 'undici';
import type { Fetcher, Poster } from './fetcher';

/** A server that has said its last word closes or ends the encoding within this time, else the connection is closed. */
const TAIL_MS = 1000;

/**
 * HTTP for calls to model servers: a model may load for minutes before the first header and think for minutes between
 * two bytes, so neither has a limit here; the caller's signal is what ends a request. Redirects are not followed, as no
 * model server sends one.
 */
export function createNodeFetcher(): { fetcher: Fetcher; post: Poster; close(): Promise<void> } {
  // One undici: the first use of a global such as `Headers` (by a library) would load Node's own copy beside it.
  install();
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 5000 } });
  const fetcher = ((input: string | URL, init?: Parameters<typeof undiciFetch>[1]) =>
    undiciFetch(input, { redirect: 'error', ...init, dispatcher: agent })) as unknown as Fetcher;
  return { fetcher, post: posterOver(agent), close: () => agent.destroy() };
}

function posterOver(agent: Agent): Poster {
  return async (url, { headers, body: sent, signal }) => {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: sent,
      signal,
      dispatcher: agent,
    });
    // Whoever reads gets the failure from the iteration; nobody else is to be told.
    body.on('error', () => {});
    return {
      status: statusCode,
      bytes: () => body.iterator({ destroyOnReturn: false }),
      json: () => body.json(),
      close(complete) {
        if (!complete) body.destroy();
        else if (!body.closed) {
          const tail = { limit: Number.MAX_SAFE_INTEGER, signal: AbortSignal.timeout(TAIL_MS) };
          body.dump(tail).catch(() => {});
        }
      },
    };
  };
}
