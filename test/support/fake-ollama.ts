import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeOllama {
  url: string;
  /** Number of completion requests. */
  requests(): number;
  close(): Promise<void>;
}

/**
 * A server in Ollama's dialect that writes numbered words one by one, for faults in the middle of a long answer: a real
 * model that is small enough for a test writes only for a moment. It has one model, `steady`.
 */
export async function startFakeOllama(options: {
  words: number;
  everyMs: number;
  /** Minimum length of each word in characters. */
  wordLength?: number;
  /** The `Authorization` header that every request must have. */
  authorization?: string;
  /** Custom responses by path. */
  replies?: Record<string, (response: ServerResponse, request: IncomingMessage) => void>;
}): Promise<FakeOllama> {
  let requests = 0;
  const server = createServer((request, response) => {
    if (options.authorization !== undefined && request.headers.authorization !== options.authorization) {
      response.writeHead(401).end('{"error":"unauthorized"}');
      return;
    }
    if (request.url === '/api/chat' || request.url === '/api/generate') {
      requests += 1;
    }
    const reply = options.replies?.[request.url ?? ''];
    if (reply) {
      request.resume();
      reply(response, request);
      return;
    }
    if (request.url === '/api/chat' || request.url === '/api/generate') {
      void answer(request, response, options);
      return;
    }
    const body = FACTS[request.url ?? ''];
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { error: 'not found' }));
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    close: () =>
      new Promise((settle) => {
        server.close(() => settle());
        server.closeAllConnections();
      }),
  };
}

const MODEL = 'steady';
const FACTS: Readonly<Record<string, object>> = {
  '/api/version': { version: '0.0.0' },
  '/api/tags': {
    models: [
      {
        name: `${MODEL}:latest`,
        model: `${MODEL}:latest`,
        digest: '1'.repeat(64),
        size: 19_000_000_000,
        modified_at: '2026-01-01T00:00:00Z',
        details: { parameter_size: '32B', quantization_level: 'Q4_K_M' },
      },
    ],
  },
  '/api/show': { capabilities: ['completion'], model_info: { 'fake.context_length': 32_768 } },
  '/api/ps': { models: [] },
};

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { words, everyMs, wordLength = 0 }: { words: number; everyMs: number; wordLength?: number },
): Promise<void> {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const frame = (part: object) => response.write(`${JSON.stringify({ model: MODEL, ...part })}\n`);
  for (let word = 0; word < words && !response.destroyed; word += 1) {
    frame({ message: { role: 'assistant', content: `${`w${word}`.padEnd(wordLength, '.')} ` }, done: false });
    await new Promise((settle) => setTimeout(settle, everyMs));
  }
  frame({
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 1,
    eval_count: words,
  });
  response.end();
}
