import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { OllamaApi } from '../../../src/main/backends/ollama/ollama-api';
import { createNodeFetcher } from '../../../src/main/ports/node-fetcher';
import type { CompletionChunk } from '../../../src/shared/domain';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** A server of Ollama's dialect that answers as told, and the client for it. */
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

/** Reads as the router does: to the `end` chunk and not further. */
async function readToEnd(api: OllamaApi): Promise<CompletionChunk['type'][]> {
  const seen: CompletionChunk['type'][] = [];
  for await (const chunk of api.complete(CALL, new AbortController().signal)) {
    seen.push(chunk.type);
    if (chunk.type === 'end') break;
  }
  return seen;
}

test('connections outlive answers that are left at their last frame', async () => {
  // The end of the encoding comes behind the last frame, as a handler that returns sends it.
  const { api, connections } = await serve((response) => {
    response.write(SAY + DONE, () => response.end());
  });
  for (let round = 0; round < 5; round += 1) expect(await readToEnd(api)).toEqual(['text', 'end']);
  expect(connections.filter(({ destroyed }) => destroyed)).toEqual([]);
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
])('a refusal %s has its code', async (_how, status, body, code) => {
  const { api } = await serve((response) => response.writeHead(status).end(body));
  await expect(api.complete(CALL, new AbortController().signal).next()).rejects.toMatchObject({ code });
});

test('a server that is cut off in the middle, or is not there, is told apart', async () => {
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
