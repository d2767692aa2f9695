import { readdir, readFile } from 'node:fs/promises';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type App, ask, NO_SERVERS, startApp } from '../../support/app';
import { type ContractClient, connect } from '../../support/contract-client';
import { type FakeOllama, startFakeOllama } from '../../support/fake-ollama';
import { rawRequest } from '../../support/gateway-fixture';
import { spawnHost } from '../../support/host-process';
import { peakBytes } from '../../support/peak-memory';
import { tempDir } from '../../support/temp-dir';
import { openWebClient } from '../../support/web-client';

/** Attacks on the listener of the page, and on the information that it and the others reveal. */

const MOST_MEMORY = 400 * 1024 * 1024;
const AUTO = { kind: 'auto' } as const;
/** A name that no login of a test machine has. */
const USER = 'someone-of-the-proxy';
const PASSWORD = 'p@ss/word';
const AUTHORIZATION = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;

describe('the page', () => {
  let fake: FakeOllama;
  let app: App;
  let ui: ContractClient;
  let port: number;

  beforeAll(async () => {
    fake = await startFakeOllama({ words: 800, everyMs: 0, wordLength: 8_000 });
    app = await startApp({ env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
    ui = await connect(app.ready.web);
    port = Number(new URL(app.ready.web).port);
  });
  afterAll(async () => {
    await app?.stop();
    await app?.remove();
    await fake?.close();
  });

  const handshake = (ticket: string, headers: Record<string, string> = {}) => ({
    path: `/api/push?ticket=${ticket}`,
    headers: {
      host: `127.0.0.1:${port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });

  it('opens no socket without a ticket, with a used or invented one, or for a foreign page', async () => {
    const ticket = await ui.ticket();
    const status = async (given: string, headers = {}) => {
      const { path, headers: sent } = handshake(given, headers);
      return (await rawRequest(port, path, sent)).status;
    };
    expect(await status('')).toBe(401);
    expect(await status('made-up')).toBe(401);
    expect(await status('%zz')).toBe(401);
    expect(await status(ticket, { origin: 'https://evil.example' })).toBe(403);
    expect(await status(ticket, { host: 'evil.example' })).toBe(403);
    const { origin } = new URL(app.ready.web);
    const page = new WebSocket(`${origin.replace('http', 'ws')}/api/push?ticket=${ticket}`);
    await new Promise((settle, reject) => {
      page.addEventListener('open', settle);
      page.addEventListener('error', reject);
    });
    expect(await status(ticket)).toBe(401);
    page.close();
  });

  it('serves no call without a session', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer x', `Bearer ${'x'.repeat(5_000)}`, 'Basic YTpi']) {
      const headers = { host: `127.0.0.1:${port}`, 'content-type': 'application/json', authorization };
      for (const path of ['/api/call/snapshot', '/api/call/quit', '/api/call/__proto__', '/api/ticket'])
        expect((await rawRequest(port, path, headers, 'POST', '{}')).status).toBe(401);
    }
    expect(await ui.call('constructor' as never, {} as never)).toMatchObject({ ok: false });
  });

  it('keeps its memory bounded while sixty sockets read nothing of a long answer', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const { path, headers } = handshake(await ui.ticket());
        const socket = openSocket(port, '127.0.0.1');
        socket.on('error', () => {});
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
        socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
        return socket.pause();
      }),
    );
    const text = 'Write a Python function';
    const { chatId, answerId } = await ui.value('chatSend', { chatId: null, text, target: AUTO });
    const status = async () => {
      const { messages } = await ui.value('chatOpen', { chatId });
      const answer = messages.find(({ id }) => id === answerId);
      return answer?.role === 'assistant' ? answer.status : null;
    };
    await expect.poll(status).toBe('done');
    expect(await peakBytes(Number(app.process.pid))).toBeLessThan(MOST_MEMORY);
    for (const socket of sockets) socket.destroy();
    const page = await openWebClient(app);
    expect((await page.snapshot()).chats).toHaveLength(1);
    page.close();
  });

  it('slows down guesses of its token, but not signed-in users', async () => {
    const guess = (token: string) =>
      fetch(`${new URL(app.ready.web).origin}/api/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      });
    const statuses: number[] = [];
    for (let n = 0; n < 30; n += 1) statuses.push((await guess(`guess-${n}`)).status);
    expect(statuses.slice(0, 5)).toEqual(Array(5).fill(401));
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(15);
    const refused = await guess('one-more');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await guess(String(new URL(app.ready.web).searchParams.get('token')))).status).toBe(429);
    expect((await ui.snapshot()).app.host).toBe('headless');
  });
});

it('a token that can be guessed is rejected at start', async () => {
  const dataDir = tempDir();
  const host = spawnHost({ dataDir, env: { ...NO_SERVERS, TANDEM_WEB_TOKEN: 'a' } });
  expect(await host.ended).toMatchObject({ code: 1 });
  expect(host.stderr()).toMatch(/^environment_invalid: TANDEM_WEB_TOKEN is too short/m);
  expect(await readdir(dataDir)).toEqual([]);
});

async function filesBelow(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return texts.join('\n');
}

it('a configured server gets user and password with every call, and nothing else reveals them', async () => {
  const server = await startFakeOllama({ words: 2, everyMs: 0, authorization: AUTHORIZATION });
  onTestFinished(() => server.close());
  const named = server.url.replace('//', `//${USER}:${encodeURIComponent(PASSWORD)}@`);
  const app = await startApp({ env: { OLLAMA_API_URL: named, MLX_API_URL: named } });
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  const page = await openWebClient(app);
  onTestFinished(() => page.close());

  const snapshot = await page.snapshot();
  for (const backend of snapshot.backends)
    expect(backend).toMatchObject({ state: 'adopted', url: server.url });
  for (const model of ['ollama/steady', 'mlx/steady'])
    expect(await ask(app.ready.gateway, 'hello', { model })).toMatchObject({ status: 200 });
  expect(snapshot.settings.ollamaUrl?.value).toBe(server.url);
  const told = [
    JSON.stringify([await app.health(), snapshot, page.pushes]),
    app.log(),
    await filesBelow(app.dataDir),
  ].join('\n');
  for (const secret of [USER, PASSWORD, encodeURIComponent(PASSWORD), AUTHORIZATION])
    expect(told.includes(secret)).toBe(false);
});
