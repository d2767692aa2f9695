import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { QueueStats } from '../../../src/shared/status';
import { type App, ask, NO_SERVERS, startApp, until } from '../../support/app';
import { type FakeOllama, startFakeOllama } from '../../support/fake-ollama';
import { postJson, rawRequest } from '../../support/gateway-fixture';
import { peakBytes } from '../../support/peak-memory';
import { exchangeRaw, rawSocket } from '../../support/raw-socket';

/** Attacks on the two listeners for programs. After each the host is alive and answers. */

const MB = 1024 * 1024;
/** Three bodies of 20 MB are in memory, each as text and as value. */
const MOST_MEMORY = 700 * MB;
const MODEL = 'ollama/steady';

let fake: FakeOllama;
let app: App;
const portOf = (url: string) => Number(new URL(url).port);

beforeAll(async () => {
  fake = await startFakeOllama({ words: 3, everyMs: 0 });
  app = await startApp({ env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
  const answers = async () => (await ask(app.ready.gateway, 'hello', { model: MODEL })).status === 200;
  await until(answers, 'the server answers');
});
afterAll(async () => {
  await app?.stop();
  await app?.remove();
  await fake?.close();
});
afterEach(async () => {
  expect(await ask(app.ready.gateway, 'hello', { model: MODEL })).toMatchObject({ status: 200 });
  const { depth, running } = await queue();
  expect([depth, running]).toEqual([0, 0]);
});

const queue = async () => (await (await fetch(`${app.ready.gateway}/queue/stats`)).json()) as QueueStats;

describe('Host and Origin', () => {
  it('get 403 when foreign, on every path of every listener', async () => {
    const paths = ['/', '/health', '/queue/stats', '/api/version', '/api/tags', '/api/chat', '/api/generate'];
    const page = ['/api/session', '/api/ticket', '/api/call/snapshot', '/api/push', '/index.html', '/%zz'];
    for (const base of [app.ready.gateway, app.ready.mlxApi, new URL(app.ready.web).origin]) {
      const port = portOf(base);
      const own = new URL(base).host;
      for (const path of [...paths, ...page]) {
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          const foreign: Record<string, string>[] = [
            { host: 'evil.example' },
            { host: `evil.example:${port}` },
            { host: own, origin: 'https://evil.example' },
            { host: own, origin: 'null' },
          ];
          for (const headers of foreign) {
            const { status } = await rawRequest(port, path, headers, method);
            expect({ method, base, path, headers, status }).toMatchObject({ status: 403 });
          }
        }
      }
    }
  });
});

describe('a second request hidden in the first', () => {
  /** All three listeners answer it with 200. */
  const HIDDEN = 'GET / HTTP/1.1\r\nHost: OURS\r\n\r\n';
  const json = '{"model":"auto"}';
  it.each([
    ['a length with chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${HIDDEN}`],
    ['chunks with a length', ['Transfer-Encoding: chunked', 'Content-Length: 4'], `0\r\n\r\n${HIDDEN}`],
    ['two lengths', [`Content-Length: ${json.length}`, 'Content-Length: 0'], `${json}${HIDDEN}`],
    ['the same length twice', ['Content-Length: 0', 'Content-Length: 0'], HIDDEN],
    ['a list of lengths', ['Content-Length: 0, 16'], `${json}${HIDDEN}`],
    ['a length with a sign', ['Content-Length: +0'], HIDDEN],
    ['another encoding', ['Transfer-Encoding: xchunked'], `0\r\n\r\n${HIDDEN}`],
    ['an encoding after the chunks', ['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${HIDDEN}`],
    ['a blank before the colon', ['Transfer-Encoding : chunked'], `0\r\n\r\n${HIDDEN}`],
    ['a folded line', ['X-Folded: a', ' Content-Length: 0'], HIDDEN],
    ['a bare line feed in a header', ['X-A: b\nContent-Length: 0'], HIDDEN],
    ['a chunk size that is none', ['Transfer-Encoding: chunked'], `0x0\r\n\r\n${HIDDEN}`],
    ['a chunk size that is too large', ['Transfer-Encoding: chunked'], `${'f'.repeat(20)}\r\n${HIDDEN}`],
  ])('is not served: %s', async (_name, headers, body) => {
    const before = fake.requests();
    for (const base of [app.ready.gateway, app.ready.mlxApi, app.ready.web]) {
      const head = ['POST /api/chat HTTP/1.1', 'Host: OURS', ...headers].join('\r\n');
      const { host, port } = new URL(base);
      const text = await exchangeRaw(Number(port), `${head}\r\n\r\n${body}`.replaceAll('OURS', host));
      expect(text).not.toContain('forbidden_host');
      expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(text).not.toMatch(/HTTP\/1\.1 [^4]/);
    }
    expect(fake.requests()).toBe(before);
  });
});

describe('paths', () => {
  it.each([
    '/%zz',
    '/%00',
    '/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd',
    '/../../../../etc/passwd',
    '/..%2f..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/package.json',
    '/assets/../../main/headless.js',
    '/assets/..%5c..%5cmain%5cheadless.js',
    '//etc/passwd',
    '/etc/passwd',
    '/.git/config',
  ])('%s gets an error with the headers of all other responses', async (path) => {
    for (const base of [app.ready.gateway, app.ready.mlxApi, app.ready.web]) {
      const { status, headers, body } = await rawRequest(portOf(base), path, { host: new URL(base).host });
      expect([400, 403, 404]).toContain(status);
      expect(body).not.toMatch(/root:|import |"name": "tandem"/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(body).not.toContain(process.cwd());
    }
  });

  it('an absolute one is served only for its own Host', async () => {
    const { host, port } = new URL(app.ready.gateway);
    const foreign = await exchangeRaw(
      Number(port),
      `GET http://${host}/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    );
    expect(foreign).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe('bodies', () => {
  const post = (body: string, base = app.ready.gateway) => postJson(`${base}/api/chat`, body);

  it.each([
    ['1.5 MB of wrong messages', () => wrongMessages(1.5 * MB)],
    ['22 MB of wrong messages', () => wrongMessages(22 * MB)],
    ['32 MB of lists in lists', () => `${'['.repeat(16e6)}${']'.repeat(16e6)}`],
    ['30 MB of lists beside lists', () => `[${'[],'.repeat(10e6)}[]]`],
    [
      'calls nested 5,000 deep',
      () =>
        `{"model":"${MODEL}","messages":[{"role":"assistant","tool_calls":[${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}]}]}`,
    ],
  ])('%s are a client error, and use no server', async (_name, make) => {
    const body = make();
    const before = fake.requests();
    for (const base of [app.ready.gateway, app.ready.mlxApi]) {
      const answer = await post(body, base);
      expect({ status: answer.status, ...((await answer.json()) as object) }).toMatchObject({
        status: 400,
        code: 'bad_request',
      });
    }
    expect(fake.requests()).toBe(before);
  });

  it('29 of 20 MB at once are accepted up to the limit, the others get a retry time', async () => {
    // In a field that is passed on as it is: a message of this length is too long for the model.
    const body = Buffer.from(chat(app.ready.gateway, 'hello', false, { note: 'x'.repeat(20 * MB) }));
    const answers = await Promise.all(
      Array.from({ length: 29 }, async () => {
        const { socket, received, text, closed } = rawSocket(portOf(app.ready.gateway));
        socket.write(body);
        await received((answer) => /\r\n\r\n[\s\S]*\}/.test(answer));
        socket.destroy();
        await closed;
        return text();
      }),
    );
    const refused = answers.filter((text) => !text.startsWith('HTTP/1.1 200'));
    for (const text of refused)
      expect(text).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 5\r[\s\S]*"queue_full"/i);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(29);
    expect(await peakBytes(Number(app.process.pid))).toBeLessThan(MOST_MEMORY);
  });

  it('one in chunks without an end is aborted', async () => {
    const { socket, received, closed } = rawSocket(portOf(app.ready.gateway));
    socket.write(
      `POST /api/chat HTTP/1.1\r\nHost: ${new URL(app.ready.gateway).host}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = `100000\r\n${'x'.repeat(MB)}\r\n`;
    const send = () => {
      while (socket.writable && socket.write(chunk, 'latin1'));
    };
    socket.on('drain', send);
    send();
    // A client that never stops sending may see a connection reset before it has read the answer.
    await Promise.race([received((answer) => answer.startsWith('HTTP/1.1 413 ')).catch(() => {}), closed]);
    socket.destroy();
    await closed;
    expect((await fetch(`${app.ready.gateway}/health`)).status).toBe(200);
    expect(await peakBytes(Number(app.process.pid))).toBeLessThan(MOST_MEMORY);
  });
});

describe('connections', () => {
  it('twenty requests pipelined on one connection are all answered, in order', async () => {
    const { socket, received, text, closed } = rawSocket(portOf(app.ready.gateway));
    socket.write(
      Array.from({ length: 20 }, (_, n) => chat(app.ready.gateway, `hello ${n}`, n % 2 === 0)).join(''),
    );
    const ends = (answers: string) => answers.match(/"done":true/g)?.length ?? 0;
    await received((answers) => ends(answers) === 20);
    expect(text().match(/HTTP\/1\.1 200 /g)).toHaveLength(20);
    socket.destroy();
    await closed;
  });

  it('a client that never reads loses its slot to waiting requests', async () => {
    const endless = await startFakeOllama({ words: 5_000, everyMs: 0, wordLength: 8_000 });
    const other = await startApp({ env: { ...NO_SERVERS, OLLAMA_API_URL: endless.url } });
    try {
      const { socket, closed } = rawSocket(portOf(other.ready.gateway), { reads: false });
      socket.write(chat(other.ready.gateway, 'hello', true));
      await until(async () => endless.requests() === 1, 'the server is asked');
      const answer = await ask(other.ready.gateway, 'hello', { model: MODEL });
      expect(answer.status).toBe(502);
      expect(await peakBytes(Number(other.process.pid))).toBeLessThan(MOST_MEMORY);
      socket.destroy();
      await closed;
    } finally {
      await other.stop();
      await other.remove();
      await endless.close();
    }
  });
});

/** A request as raw text. */
function chat(base: string, content: string, stream: boolean, more: object = {}): string {
  const body = JSON.stringify({ model: MODEL, stream, messages: [{ role: 'user', content }], ...more });
  const head = `POST /api/chat HTTP/1.1\r\nHost: ${new URL(base).host}`;
  return `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function wrongMessages(bytes: number): string {
  const one = '{"role":"x"}';
  return `{"model":"auto","messages":[${Array(Math.floor(bytes / (one.length + 1))).fill(one)}]}`;
}

describe('the rate limit of the MLX API', () => {
  it('counts a client once, however it names itself', async () => {
    const env = { ...NO_SERVERS, OLLAMA_API_URL: fake.url, MLX_RATE_LIMIT_MAX: '1' };
    const limited = await startApp({ env });
    try {
      const statuses: number[] = [];
      for (const agent of ['curl/8', 'another/1', 'a-third/2']) {
        const headers = { 'user-agent': agent, 'x-tandem-client': agent };
        statuses.push((await ask(limited.ready.mlxApi, 'hello', { model: MODEL, headers })).status);
      }
      expect(statuses).toEqual([200, 429, 429]);
      // The gateway on loopback has no limit.
      expect(await ask(limited.ready.gateway, 'hello', { model: MODEL })).toMatchObject({ status: 200 });
    } finally {
      await limited.stop();
      await limited.remove();
    }
  });
});
