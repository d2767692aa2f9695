import { Readable } from 'node:stream';
import { Agent, install, Response, request, fetch as undiciFetch } from 'undici';
import type { Fetcher, Post, Poster } from './fetcher';

/** After its last output a server must end the encoding within this time, else the connection is closed. */
const TAIL_MS = 1000;

/** Most bytes of an answer that is read as a whole: enough for a list of ten thousand models. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Most bytes of one line of a streamed answer, such as the progress of a download. */
const MAX_LINE_BYTES = 1024 * 1024;
/** Most bytes read of an error body; the rest of a longer one carries no information. */
const MAX_REFUSAL_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/**
 * HTTP for calls to model servers: a model may load for minutes before the first header and compute for minutes between
 * two bytes, so neither has a limit here; the caller's signal ends a request. Bodies read as a whole are bounded.
 * Redirects are not followed, because no model server sends one.
 */
export function createNodeFetcher(): { fetcher: Fetcher; post: Poster; close(): Promise<void> } {
  // Use one undici only: the first use of a global such as `Headers` (by a library) would load Node's own copy too.
  install();
  // Node would keep the timings of 250 calls, which nothing reads.
  performance.setResourceTimingBufferSize(0);
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 5000 } });
  const fetcher = (async (input: string | URL, init?: Parameters<typeof undiciFetch>[1]) =>
    bounded(
      await undiciFetch(input, { redirect: 'error', ...init, dispatcher: agent }),
    )) as unknown as Fetcher;
  return { fetcher, post: posterOver(agent), close: () => agent.destroy() };
}

function posterOver(agent: Agent): Poster {
  return async (url, { headers, body: sent, signal }) => {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...lengthOf(sent), ...headers },
      body: typeof sent === 'string' ? sent : Readable.from(sent, { objectMode: false }),
      signal,
      dispatcher: agent,
    });
    // The reader gets the failure from the iteration; no other listener needs it.
    body.on('error', () => {});
    return {
      status: statusCode,
      bytes: () => body.iterator({ destroyOnReturn: false }),
      json: async () => JSON.parse(await text(body)),
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

/** Pieces need an explicit length: mlx_lm.server rejects a body without it. */
function lengthOf(body: Post['body']): Record<string, string> {
  if (typeof body === 'string') return {};
  return { 'content-length': String(body.reduce((sum, { length }) => sum + length, 0)) };
}

/** The same response; its body fails after too many bytes, or after too many bytes without a line end. */
export function bounded(response: Response): Response {
  if (!response.body) return response;
  const isLines = response.headers.get('content-type')?.includes('ndjson') ?? false;
  const { body, status, statusText, headers } = response;
  const limited = isLines ? linesUpTo(MAX_LINE_BYTES, body) : bytesUpTo(MAX_BYTES, body);
  return new Response(limited, { status, statusText, headers });
}

async function* bytesUpTo(limit: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > limit) throw new Error('the answer is too long');
    yield part;
  }
}

async function* linesUpTo(limit: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of body) {
    const lineEnd = part.lastIndexOf(LINE_FEED);
    bytes = lineEnd === -1 ? bytes + part.length : part.length - lineEnd - 1;
    if (bytes > limit) throw new Error('a line of the answer is too long');
    yield part;
  }
}

/** The first bytes of a body, enough for an error message. */
async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    parts.push(part);
    length += part.length;
    if (length > MAX_REFUSAL_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}
