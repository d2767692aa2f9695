import { expect, it } from 'vitest';
import type { BackendRequest } from '../../../src/main/backends/backend';
import { OllamaApi } from '../../../src/main/backends/dialects/ollama/ollama-api';
import { OpenAiApi } from '../../../src/main/backends/dialects/openai/openai-api';
import { MlxClient } from '../../../src/main/backends/mlx/mlx-client';
import type { Poster } from '../../../src/main/ports/fetcher';
import type { CompletionChunk } from '../../../src/shared/completion';
import { TandemError } from '../../../src/shared/errors';

const REQUEST: BackendRequest = {
  id: 'r',
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  sampling: {},
};
const BASE = { url: 'http://127.0.0.1:9', fetcher: fetch, instanceId: 'test' };

type Ask = (post: Poster, signal: AbortSignal) => AsyncIterable<CompletionChunk>;
const SERVERS: Record<string, Ask> = {
  MLX: (post, signal) => {
    const call = { path: '/v1/chat/completions', body: {} } as const;
    return new MlxClient({ ...BASE, post }).complete({ url: BASE.url, secret: 's' }, 'r', call, signal);
  },
  Ollama: (post, signal) => new OllamaApi({ ...BASE, post }).answer(REQUEST, signal),
  'an OpenAI server': (post, signal) => {
    const server = { id: 'studio', title: 'Studio' };
    const options = { ...BASE, post, server, billionsOf: () => null };
    return new OpenAiApi(options).answer(REQUEST, signal);
  },
};

/** A server that answers with this status and body. */
function answers(status: number, body: unknown): Poster {
  return async () => ({ status, async *bytes() {}, json: async () => body, close: () => {} });
}

function fails(error: Error): Poster {
  return () => Promise.reject(error);
}

const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
const own = new TandemError('loop_detected', 'a loop');
const cases: [string, Poster, object][] = [
  ['a status of 400', answers(400, { error: 'no such field' }), { code: 'bad_request' }],
  ['a status of 500', answers(500, { error: 'out of order' }), { code: 'backend_failed' }],
  ['a status without a body', answers(500, null), { code: 'backend_failed' }],
  ['a connection that breaks', fails(reset), { code: 'backend_failed', cause: reset }],
  ['an error of ours', fails(own), own],
  ['an answer without an end', answers(200, null), { code: 'backend_failed' }],
];

for (const [server, ask] of Object.entries(SERVERS)) {
  const failure = async (post: Poster, signal = new AbortController().signal): Promise<unknown> => {
    try {
      for await (const _chunk of ask(post, signal));
    } catch (error) {
      return error;
    }
    return null;
  };

  it.each(cases)(`${server}: %s becomes an error of ours`, async (_, post, expected) => {
    const error = await failure(post);
    expect(error).toBeInstanceOf(TandemError);
    expect(error).toMatchObject(expected);
  });

  it(`${server}: the error names what the server says`, async () => {
    const words = expect.stringContaining('no such field');
    expect(await failure(answers(400, { error: 'no such field' }))).toMatchObject({ message: words });
  });

  it(`${server}: a break after the request was cancelled is no failure of the server`, async () => {
    const cut = new AbortController();
    const post: Poster = () => {
      cut.abort();
      return Promise.reject(reset);
    };
    expect(await failure(post, cut.signal)).toMatchObject({ code: 'cancelled' });
  });
}
