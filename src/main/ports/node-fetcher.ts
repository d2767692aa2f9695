import { Agent, install, fetch as undiciFetch } from 'undici';
import type { Fetcher } from './fetcher';

/**
 * `fetch` for calls to model servers: a model may load for minutes before the first header and think for minutes
 * between two bytes, so neither has a limit here; the caller's signal is what ends a request. Redirects are not
 * followed, as no model server sends one.
 */
export function createNodeFetcher(): { fetcher: Fetcher; close(): Promise<void> } {
  // One undici: the first use of a global such as `Headers` (by a library) would load Node's own copy beside it.
  install();
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 5000 } });
  const fetcher = ((input: string | URL, init?: Parameters<typeof undiciFetch>[1]) =>
    undiciFetch(input, { redirect: 'error', ...init, dispatcher: agent })) as unknown as Fetcher;
  return { fetcher, close: () => agent.destroy() };
}
