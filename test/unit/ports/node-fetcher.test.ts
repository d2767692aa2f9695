import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { OllamaApi } from '../../../src/main/backends/dialects/ollama/ollama-api';
import { createNodeFetcher } from '../../../src/main/ports/node-fetcher';
import type { CompletionChunk } from '../../../src/shared/completion';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** A server in Ollama's dialect that runs the given handler, and a client for it. */
async function serve(answer: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume().once('end', () => answer(response));
  });
  const connections: Socket[] = [];
  server.on('connection', (socket) => connections.push(socket));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const http = createNodeFetcher();
  cleanups.push(() => new Promise((closed) => server.close(closed)), http.close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    api: new OllamaApi({ url, fetcher: http.fetcher, post: http.post, instanceId: 'test' }),
    connections,
  };
}

const CALL = { path: '/api/chat', body: { model: 'm' } } as const;
const SAY = '{"message":{"content":"hi"},"done":false}\n';
const DONE = '{"message":{"content":""},"done":true,"done_reason":"stop"}\n';

/** Reads as the router does: up to the `end` chunk and no further. */
async function readToEnd(api: OllamaApi): Promise<CompletionChunk['type'][]> {
  const seen: CompletionChunk['type'][] = [];
  for await (const chunk of api.complete(CALL, new AbortController().signal)) {
    seen.push(chunk.type);
    if (chunk.type === 'end') break;
  }
  return seen;
}

test('connections are reused after answers that were read to their last frame', async () => {
  // The end of the encoding follows the last frame, as when a handler returns.
  const { api, connections } = await serve((response) => {
    response.write(SAY + DONE, () => response.end());
  });
  for (let round = 0; round < 5; round += 1) expect(await readToEnd(api)).toEqual(['text', 'end']);
  expect(connections.filter(({ destroyed }) => destroyed)).toEqual([]);
});

test('the times of calls are not recorded, because no code reads them', async () => {
  const { api } = await serve((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"version":"0.34.0"}');
  });
  // Tests of another file may have made calls before.
  performance.clearResourceTimings();
  for (let round = 0; round < 5; round += 1)
    expect(await api.version(new AbortController().signal)).toBe('0.34.0');
  await new Promise(setImmediate);
  expect(performance.getEntriesByType('resource')).toEqual([]);
});

test('a long body arrives whole and with its length, which mlx_lm.server requires', async () => {
  const seen: { length: string | undefined; text: string }[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    seen.push({ length: request.headers['content-length'], text });
    response.end(SAY + DONE);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const http = createNodeFetcher();
  cleanups.push(() => new Promise((closed) => server.close(closed)), http.close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = new OllamaApi({ url, fetcher: http.fetcher, post: http.post, instanceId: 'test' });
  const body = { model: 'm', messages: Array(3_000).fill({ role: 'user', content: 'ж😀"'.repeat(100) }) };
  const call = { path: '/api/chat', body } as const;
  for (let round = 0; round < 2; round += 1) {
    for await (const chunk of api.complete(call, new AbortController().signal))
      if (chunk.type === 'end') break;
  }
  const text = JSON.stringify(body);
  expect(seen.map((one) => one.text === text)).toEqual([true, true]);
  expect(seen.map(({ length }) => length)).toEqual(Array(2).fill(String(Buffer.byteLength(text))));
});

test('a call that is aborted while its long body is written is not sent', async () => {
  let calls = 0;
  const controller = new AbortController();
  const api = new OllamaApi({
    url: 'http://127.0.0.1:9',
    fetcher: fetch,
    post: async () => {
      calls += 1;
      throw new Error('sent');
    },
    instanceId: 'test',
  });
  const body = { model: 'm', messages: Array(3_000).fill({ role: 'user', content: 'word '.repeat(100) }) };
  const first = api.complete({ path: '/api/chat', body }, controller.signal).next();
  controller.abort();
  await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  expect(calls).toBe(0);
});

test('leaving in the middle closes the connection, so that the server stops computing', async () => {
  const { api, connections } = await serve((response) => response.write(SAY));
  for await (const chunk of api.complete(CALL, new AbortController().signal)) {
    expect(chunk).toEqual({ type: 'text', text: 'hi' });
    break;
  }
  await once(connections[0] as Socket, 'close');
});

test('aborting before the first byte rejects at once and closes the connection', async () => {
  const abort = new AbortController();
  const { api, connections } = await serve(() => abort.abort());
  await expect(api.complete(CALL, abort.signal).next()).rejects.toMatchObject({ code: 'cancelled' });
  await once(connections[0] as Socket, 'close');
});

test.each([
  ['in its own words', 404, '{"error":"model \'m\' not found"}', 'model_not_found'],
  ['without a body', 500, '', 'backend_failed'],
])('a rejection %s has its code', async (_how, status, body, code) => {
  const { api } = await serve((response) => response.writeHead(status).end(body));
  await expect(api.complete(CALL, new AbortController().signal).next()).rejects.toMatchObject({ code });
});

test('a server that is cut off in the middle is distinguished from one that is not there', async () => {
  const cut = await serve((response) => {
    response.write(SAY, () => response.destroy());
  });
  const read = cut.api.complete(CALL, new AbortController().signal);
  await read.next();
  await expect(read.next()).rejects.toMatchObject({ code: 'backend_failed' });
  const gone = new OllamaApi({
    url: 'http://127.0.0.1:1',
    fetcher: fetch,
    post: createNodeFetcher().post,
    instanceId: 'test',
  });
  await expect(gone.complete(CALL, new AbortController().signal).next()).rejects.toMatchObject({
    code: 'ollama_down',
  });
});

/** Sends this text repeatedly until the client disconnects. */
function endlessly(response: ServerResponse, text: string): void {
  const send = () => {
    while (!response.destroyed && response.write(text));
  };
  response.on('drain', send);
  send();
}

const never = new AbortController().signal;
const frame = (content: string) => `${JSON.stringify({ message: { content }, done: false })}\n`;
const layer = (digest: number) =>
  `${JSON.stringify({ status: 'pulling', digest: `sha256:${digest}`, total: 9 })}\n`;

test.each([
  ['a refusal', 500, 'x'.repeat(60_000), 'backend_failed'],
  ['a frame', 200, 'x'.repeat(60_000), 'backend_failed'],
  ['text', 200, frame('x'.repeat(60_000)), 'backend_failed'],
  [
    'calls of tools',
    200,
    frame('').replace('"content":""', `"tool_calls":["${'x'.repeat(60_000)}"]`),
    'backend_failed',
  ],
])('%s without an end is aborted, and the connection closed', async (_what, status, text, code) => {
  const { api, connections } = await serve((response) => {
    response.writeHead(status);
    endlessly(response, text);
  });
  await expect(readToEnd(api)).rejects.toMatchObject({ code });
  const closed = connections.map(async (connection) => {
    if (!connection.destroyed) await new Promise((resolve) => connection.once('close', resolve));
  });
  await Promise.all(closed);
});

test('a list, a line of progress and parts of a model without an end are aborted', async () => {
  let answer = (response: ServerResponse) => endlessly(response, '['.repeat(60_000));
  const { api } = await serve((response) => answer(response));
  await expect(api.tags(never)).rejects.toMatchObject({ code: 'backend_failed' });
  const pull = () => api.pull('m', { insecure: false }, () => {}, never);
  answer = (response) => {
    response.setHeader('content-type', 'application/x-ndjson');
    endlessly(response, 'x'.repeat(60_000));
  };
  await expect(pull()).rejects.toMatchObject({ code: 'pull_failed' });
  let digest = 0;
  answer = (response) => {
    response.setHeader('content-type', 'application/x-ndjson');
    response.end(Array.from({ length: 2_000 }, () => layer(digest++)).join(''));
  };
  await expect(pull()).rejects.toMatchObject({ message: expect.stringContaining('too many parts') });
});

test('a call names the instances that it passed through, and this one after them', async () => {
  const hops: unknown[] = [];
  const server = createServer((request, response) => {
    hops.push(request.headers['x-tandem-hop']);
    response.end(SAY + DONE);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const http = createNodeFetcher();
  cleanups.push(() => new Promise((closed) => server.close(closed)), http.close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = new OllamaApi({ url, fetcher: http.fetcher, post: http.post, instanceId: 'c' });
  for await (const _chunk of api.complete({ ...CALL, hops: 'a, b' }, never));
  for await (const _chunk of api.complete(CALL, never));
  expect(hops).toEqual(['a, b, c', 'c']);
});
