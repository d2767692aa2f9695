import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unknownLanguage } from '../../../src/main/router/refusals';
import { TandemError } from '../../../src/shared/errors';
import { defaultSettings } from '../../../src/shared/settings';
import { postJson, type Running, rawRequest, startGateway } from '../../support/gateway-fixture';
import { ScriptedDispatcher } from '../../support/scripted-dispatcher';

const dispatcher = new ScriptedDispatcher();
let running: Running;

beforeAll(async () => {
  running = await startGateway(dispatcher);
});
afterAll(() => running.gateway.close());

const hello = { model: 'auto', messages: [{ role: 'user', content: 'hello' }] };

describe('Host', () => {
  it.each([
    ['127.0.0.1:PORT', 200],
    ['localhost:PORT', 200],
    ['LOCALHOST:PORT', 200],
    ['[::1]:PORT', 200],
    ['host.docker.internal:PORT', 200],
    ['llm.example', 200],
    ['llm.example:8443', 200],
    ['127.0.0.1', 200],
    ['127.0.0.1:1', 200],
    ['127.1.2.3:8080', 200],
    ['0.0.0.0:PORT', 200],
    ['host.docker.internal:9', 200],
    ['127.0.0.1.5:PORT', 403],
    ['1270.0.0.1:PORT', 403],
    ['localhost.:PORT', 403],
    ['evil.example:PORT', 403],
    ['127.0.0.1.evil.example:PORT', 403],
    ['8.8.8.8:PORT', 403],
    ['user@localhost:PORT', 403],
  ])('%s is answered with %i', async (host, status) => {
    const answer = await rawRequest(running.port, '/health', {
      Host: host.replace('PORT', String(running.port)),
    });
    expect(answer.status).toBe(status);
    if (status === 403) expect(JSON.parse(answer.body)).toMatchObject({ code: 'forbidden_host' });
  });
});

it('accepts HTTP/1.0 without a Host from this machine, and no newer version', async () => {
  const statusLine = async (version: string) => {
    const socket = connect(running.port, '127.0.0.1').setEncoding('utf8');
    socket.write(`GET /health HTTP/${version}\r\nConnection: close\r\n\r\n`);
    let text = '';
    for await (const part of socket) text += part;
    return text.slice(0, text.indexOf('\r\n'));
  };
  expect(await statusLine('1.0')).toMatch(/ 200 OK$/);
  expect(await statusLine('1.1')).toMatch(/ 400 Bad Request$/);
});

describe('a path that cannot be parsed', () => {
  it.each(['/%zz', '/%ff', '/api/%c3%28'])('%s gets the usual checks', async (path) => {
    const foreign = await rawRequest(running.port, path, { Host: 'evil.example' });
    expect(foreign.status).toBe(403);
    expect(JSON.parse(foreign.body)).toMatchObject({ code: 'forbidden_host' });
    const own = await rawRequest(running.port, path, { Host: `127.0.0.1:${running.port}` });
    expect(own.status).toBe(400);
    expect(own.headers['x-content-type-options']).toBe('nosniff');
    expect(own.headers['x-request-id']).toMatch(/./);
    expect(JSON.parse(own.body)).toMatchObject({ code: 'bad_request' });
  });
});

describe('Origin', () => {
  it.each([
    ['http://127.0.0.1:11437', 200],
    ['https://chat.example', 200],
    ['null', 403],
    ['http://evil.example', 403],
    ['http://127.0.0.1:3000', 403],
    ['https://127.0.0.1:11437', 403],
    ['chrome-extension://abc', 403],
    ['file://', 403],
  ])('%s is answered with %i', async (origin, status) => {
    const host = `127.0.0.1:${running.port}`;
    const answer = await rawRequest(running.port, '/api/tags', { Host: host, Origin: origin });
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe(status === 200 ? origin : undefined);
  });

  it('answers the preflight of an allowed page and rejects a foreign one', async () => {
    const host = `127.0.0.1:${running.port}`;
    const allowed = { Host: host, Origin: 'https://chat.example', 'Access-Control-Request-Method': 'POST' };
    const preflight = await rawRequest(running.port, '/api/chat', allowed, 'OPTIONS');
    expect(preflight.status).toBe(204);
    const foreign = { ...allowed, Origin: 'http://evil.example' };
    expect((await rawRequest(running.port, '/api/chat', foreign, 'OPTIONS')).status).toBe(403);
  });

  it('does not let a foreign page reach the router', async () => {
    const before = dispatcher.requests.length;
    const answer = await rawRequest(
      running.port,
      '/api/chat',
      { Host: `127.0.0.1:${running.port}`, Origin: 'http://evil.example', 'Content-Type': 'text/plain' },
      'POST',
      JSON.stringify(hello),
    );
    expect(answer.status).toBe(403);
    expect(dispatcher.requests).toHaveLength(before);
  });
});

describe('bad requests', () => {
  it.each([
    ['/api/chat', '{"model":', 400, 'bad_json'],
    ['/api/chat', '', 400, 'bad_json'],
    ['/api/chat', '[]', 400, 'bad_request'],
    ['/api/chat', '{"messages":[]}', 400, 'bad_request'],
    ['/api/chat', '{"model":"auto","messages":"hi"}', 400, 'bad_request'],
    ['/api/chat', '{"model":"auto","messages":[{"role":"robot","content":"hi"}]}', 400, 'bad_request'],
    ['/api/chat', '{"model":"../x y","messages":[]}', 400, 'bad_model_name'],
    ['/api/chat', '{"model":"a;rm -rf","messages":[]}', 400, 'bad_model_name'],
    ['/api/chat', '{"model":"/etc/passwd","messages":[]}', 400, 'bad_model_name'],
    ['/api/chat', '{"model":"auto:poetry","messages":[]}', 400, 'bad_request'],
    ['/api/chat', '{"model":"auto","category":"poetry","messages":[]}', 400, 'bad_request'],
    ['/api/chat', '{"model":"auto","category":"constructor","messages":[]}', 400, 'bad_request'],
    ['/api/chat', '{"model":"auto:__proto__","messages":[]}', 400, 'bad_request'],
    ['/api/chat', '{"model":"auto","options":{"temperature":"hot"}}', 400, 'bad_request'],
    ['/api/chat', '{"model":"auto","keep_alive":"10"}', 400, 'bad_request'],
    ['/api/generate', '{"model":"auto","prompt":"a","suffix":"b"}', 400, 'unsupported'],
    ['/api/nothing', '{}', 404, 'not_found'],
    ['/api/show', '{"model":"nope"}', 404, 'model_not_found'],
  ])('%s with %s gets %i %s', async (path, body, status, code) => {
    const answer = await postJson(`${running.url}${path}`, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]+$/);
    expect(await answer.json()).toMatchObject({ code, error: expect.any(String) });
  });

  it('reports a missing model in the words that clients expect', async () => {
    dispatcher.play([new TandemError('model_not_found', 'No such model.')]);
    const answer = await postJson(`${running.url}/api/chat`, { ...hello, model: 'nope' });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ error: "model 'nope' not found", code: 'model_not_found' });
  });

  it('rejects a body over 32 MB', async () => {
    const answer = await postJson(`${running.url}/api/chat`, `"${'x'.repeat(33 * 1024 * 1024)}"`);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: 'body_too_large' });
  });

  it('rejects a request that this instance has sent itself', async () => {
    const answer = await postJson(`${running.url}/api/chat`, hello, { 'X-Tandem-Hop': 'other, instance-1' });
    expect(answer.status).toBe(508);
    expect(await answer.json()).toMatchObject({ code: 'loop_detected' });
    dispatcher.play([new TandemError('no_model', 'Get one.')]);
    expect((await postJson(`${running.url}/api/chat`, hello, { 'X-Tandem-Hop': 'other' })).status).toBe(503);
    expect(dispatcher.requests.at(-1)).toMatchObject({ hops: 'other' });
    const chain = Array.from({ length: 50 }, (_, index) => `instance-of-another-${index}`).join();
    expect((await postJson(`${running.url}/api/chat`, hello, { 'X-Tandem-Hop': chain })).status).toBe(508);
  });

  it('rejects an unknown priority', async () => {
    const answer = await postJson(`${running.url}/api/chat`, hello, { 'X-Request-Priority': 'urgent' });
    expect(answer.status).toBe(400);
  });
});

describe('failures before the first byte', () => {
  it('state in the language of the request that no model knows it', async () => {
    const error = unknownLanguage('ru', defaultSettings());
    dispatcher.play([{ type: 'routed', category: 'general', reasons: ['unavailable:mlx-language'] }, error]);
    const answer = await postJson(`${running.url}/api/chat`, hello);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: 'no_model',
      error: expect.stringContaining('знает лишь английский'),
    });
  });

  it.each([
    [new TandemError('rate_limited', 'Too many.', { retryAfterS: 12.2 }), 429, '13'],
    [new TandemError('queue_timeout', 'Waited too long.', { retryAfterS: 40 }), 503, '40'],
    [new TandemError('ollama_down', 'It restarts.'), 503, '5'],
    [new TandemError('no_model', 'Get one.'), 503, '60'],
    [new TandemError('echo', 'Only echoes.'), 502, null],
    [new TandemError('timeout', 'Too slow.'), 504, null],
    [new Error('boom'), 500, null],
  ])('%s keeps its status on a stream', async (error, status, retryAfter) => {
    dispatcher.play([{ type: 'routed', category: 'coding', reasons: ['rule:code'] }, error]);
    const answer = await postJson(`${running.url}/api/chat`, hello);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('retry-after')).toBe(retryAfter);
    expect(answer.headers.get('x-tandem-category')).toBe('coding');
    expect(answer.headers.get('x-tandem-backend')).toBeNull();
  });
});
