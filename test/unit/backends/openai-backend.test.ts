import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { OpenAiBackend } from '../../../src/main/backends/openai/openai-backend';
import { createNodeFetcher } from '../../../src/main/ports/node-fetcher';
import type { CompletionChunk } from '../../../src/shared/completion';
import { instanceOf, MLX } from '../../support/backends';
import { FakeClock } from '../../support/fake-clock';

const ANSWER = [
  { choices: [{ delta: { content: 'fine' } }] },
  { choices: [{ delta: {}, finish_reason: 'stop' }] },
  { choices: [], usage: { prompt_tokens: 3, completion_tokens: 1 } },
];

interface Script {
  /** Body of `/v1/models`; undefined = the server speaks another dialect. */
  models?: string;
  /** Body of `/api/version`; undefined = the server speaks another dialect. */
  version?: string;
}

/** A server on loopback, and the bodies of the completions that it received. */
async function serve(script: Script) {
  const bodies: Record<string, unknown>[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    if (request.url === '/v1/chat/completions') {
      bodies.push(JSON.parse(text));
      response.setHeader('content-type', 'text/event-stream');
      response.end([...ANSWER.map((frame) => JSON.stringify(frame)), '[DONE]'].map(sse).join(''));
      return;
    }
    const body = { '/v1/models': script.models, '/api/version': script.version }[request.url ?? ''];
    response.statusCode = body === undefined ? 404 : 200;
    response.end(body ?? 'Not Found');
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, close };
}

const sse = (data: string) => `data: ${data}\n\n`;
const listOf = (...ids: string[]) => JSON.stringify({ object: 'list', data: ids.map((id) => ({ id })) });

async function backendAt(url: string, instance = MLX): Promise<OpenAiBackend> {
  const http = createNodeFetcher();
  const backend = new OpenAiBackend({
    ...{ instance, url, setBy: 'MLX_API_URL', clock: new FakeClock(), instanceId: 'test' },
    ...{ fetcher: http.fetcher, post: http.post },
    billionsOf: (name) => (name.includes('32B') ? 32 : null),
  });
  onTestFinished(async () => {
    await backend.stop();
    await http.close();
  });
  await backend.start();
  return backend;
}

async function ask(backend: OpenAiBackend, model: string): Promise<CompletionChunk[]> {
  const request = { id: 'r', model, messages: [{ role: 'user' as const, content: 'hello' }], sampling: {} };
  const chunks: CompletionChunk[] = [];
  for await (const chunk of backend.stream(request, new AbortController().signal)) chunks.push(chunk);
  return chunks;
}

test.each(['', '/v1'])(
  'a server of the OpenAI dialect at an address that ends in "%s" answers',
  async (end) => {
    const { url, bodies } = await serve({ models: listOf('org/Qwen-32B', '/models/tiny') });
    const backend = await backendAt(url + end);
    expect(backend.status()).toMatchObject({
      id: 'mlx',
      state: 'adopted',
      ownership: 'remote',
      version: null,
    });
    const models = await backend.models();
    expect(models.map(({ name, weight }) => [name, weight])).toEqual([
      ['org/Qwen-32B', 'heavy'],
      ['tiny', 'light'],
    ]);
    expect(await ask(backend, 'tiny')).toEqual([
      { type: 'text', text: 'fine' },
      { type: 'end', end: { reason: 'stop', promptTokens: 3, completionTokens: 1 } },
    ]);
    expect(bodies).toMatchObject([{ model: '/models/tiny', messages: [{ content: 'hello' }], stream: true }]);
  },
);

test('a server that lists nothing has the model of its command line', async () => {
  const { url, bodies } = await serve({ models: '' });
  const backend = await backendAt(url);
  expect((await backend.models()).map(({ name }) => name)).toEqual(['default_model']);
  await ask(backend, 'default_model');
  expect(bodies).toMatchObject([{ model: 'default_model' }]);
});

test('a server that speaks both dialects is used in that of Ollama', async () => {
  const { url } = await serve({ models: listOf('a'), version: '{"version":"0.34.0"}' });
  expect((await backendAt(url)).status().version).toBe('0.34.0');
});

test.each([
  ['mlx', 'mlx_down'],
  ['studio', 'backend_down'],
])('a server of neither dialect is absent, and %s is down', async (id, code) => {
  const { url } = await serve({ models: '<html>', version: '{}' });
  const backend = await backendAt(url, instanceOf(id));
  expect(backend.status()).toMatchObject({ state: 'absent', absence: { code } });
  await expect(ask(backend, 'a')).rejects.toMatchObject({ code });
});

test.each([
  ['OpenAI', { models: listOf('a') }],
  ['Ollama', { version: '{"version":"0.34.0"}' }],
])('a server of the dialect of %s that has gone is down', async (_dialect, script) => {
  const { url, close } = await serve(script);
  const backend = await backendAt(url);
  close();
  await backend.restart();
  expect(backend.status()).toMatchObject({ state: 'absent', absence: { code: 'mlx_down' } });
  await expect(backend.models()).rejects.toMatchObject({ code: 'mlx_down' });
});
