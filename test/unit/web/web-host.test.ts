import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Push } from '../../../src/shared/contract';
import { FakeClock } from '../../support/fake-clock';
import { rawRequest } from '../../support/gateway-fixture';
import {
  openSession,
  openTicket,
  type RunningWebHost,
  startWebHost,
  TOKEN,
} from '../../support/web-host-fixture';

let dir: string;
let running: RunningWebHost;
let clock: FakeClock;
const seen: unknown[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tandem-web-'));
  clock = new FakeClock();
  seen.length = 0;
  const chatStop = async (input: unknown, caller: unknown) => {
    seen.push({ input, caller });
    return {};
  };
  running = await startWebHost(dir, { chatStop }, clock);
});
afterEach(async () => {
  await running.host.close();
  await rm(dir, { recursive: true });
});

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${running.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** Result of a WebSocket attempt: the rejecting status, or the open socket. */
function knock(ticket: string, origin?: string): Promise<number | WebSocket> {
  const url = `ws://127.0.0.1:${running.port}/api/push?ticket=${ticket}`;
  const socket = new WebSocket(url, origin === undefined ? {} : { origin });
  return new Promise((resolve) => {
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode ?? 0));
    socket.on('error', () => {});
  });
}

describe('the page', () => {
  it('has a strict policy and is not cached', async () => {
    const answer = await fetch(`${running.url}/?token=${TOKEN}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('set-cookie')).toBeNull();
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${running.port};`);
    expect(policy).not.toContain('unsafe-inline');
  });

  it('caches its hashed parts, and serves nothing outside its folder', async () => {
    const asset = await fetch(`${running.url}/assets/index-abc.js`);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    const outside = await rawRequest(running.port, '/..%2f..%2fetc/passwd', {
      Host: `localhost:${running.port}`,
    });
    expect(outside.status).toBeGreaterThanOrEqual(400);
    expect(outside.body).not.toContain('root:');
  });
});

describe('Host and Origin', () => {
  it.each([
    [{ Host: 'evil.example:PORT' }, 403],
    [{ Host: '127.0.0.1:1' }, 403],
    [{ Host: '127.0.0.1:PORT', Origin: 'http://evil.example' }, 403],
    [{ Host: '127.0.0.1:PORT', Origin: 'null' }, 403],
    [{ Host: '127.0.0.1:PORT', Origin: 'http://127.0.0.1:1' }, 403],
    [{ Host: '127.0.0.1:PORT', Origin: 'http://127.0.0.1:PORT' }, 200],
    [{ Host: 'localhost:PORT', Origin: 'http://localhost:PORT' }, 200],
    [{ Host: 'localhost:PORT', Origin: 'https://tandem.example' }, 200],
    [{ Host: 'localhost:PORT' }, 200],
  ])('%j is answered with %i', async (headers, status) => {
    const own = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', String(running.port))]),
    );
    const body = JSON.stringify({ token: TOKEN });
    const withType = { ...own, 'Content-Type': 'application/json' };
    expect((await rawRequest(running.port, '/api/session', withType, 'POST', body)).status).toBe(status);
    expect((await rawRequest(running.port, '/', own)).status).toBe(status);
  });
});

describe('a path that cannot be parsed', () => {
  it.each(['/%zz', '/%ff', '/assets/%c3%28', `/api/call/${'x'.repeat(200)}`])(
    '%s is checked as any',
    async (path) => {
      const host = `127.0.0.1:${running.port}`;
      const foreign = await rawRequest(running.port, path, { Host: 'evil.example' }, 'POST');
      expect(foreign).toMatchObject({ status: 403 });
      expect(JSON.parse(foreign.body)).toMatchObject({ error: { code: 'forbidden_host' } });
      const own = await rawRequest(running.port, path, { Host: host }, 'POST');
      expect(own.status).toBeGreaterThanOrEqual(400);
      expect(own.headers['content-security-policy']).toContain("default-src 'none'");
      expect(own.headers['x-content-type-options']).toBe('nosniff');
      expect(own.body).not.toContain('FST_');
    },
  );
});

describe('calls', () => {
  it('need a session, which requires the token', async () => {
    for (const token of ['', 'wrong', `${TOKEN}x`, TOKEN.toUpperCase()]) {
      expect((await post('/api/session', { token })).status).toBe(401);
    }
    expect((await post('/api/session', [])).status).toBe(401);
    const refused = await post('/api/call/chatStop', { answerId: 'a' }, { Authorization: `Bearer ${TOKEN}` });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
    expect(seen).toEqual([]);

    const session = await openSession(running.url);
    const answer = await post(
      '/api/call/chatStop',
      { answerId: 'a' },
      { Authorization: `Bearer ${session}` },
    );
    expect(await answer.json()).toEqual({ ok: true, value: {} });
    expect(seen).toEqual([{ input: { answerId: 'a' }, caller: { host: 'web' } }]);
  });

  it.each([
    ['chatStop', { answerId: '' }, 'bad_request'],
    ['chatStop', {}, 'bad_request'],
    ['noSuchCall', {}, 'not_found'],
    ['__proto__', {}, 'not_found'],
    ['toString', {}, 'not_found'],
    ['snapshot', {}, 'internal'],
  ])('%s with %j fails as %s', async (name, input, code) => {
    const session = await openSession(running.url);
    const answer = await post(`/api/call/${name}`, input, { Authorization: `Bearer ${session}` });
    expect(await answer.json()).toMatchObject({ ok: false, error: { code } });
  });

  it('lose their session after twelve hours without use, not before', async () => {
    const session = await openSession(running.url);
    const call = () => post('/api/call/chatStop', { answerId: 'a' }, { Authorization: `Bearer ${session}` });
    for (let used = 0; used < 3; used += 1) {
      await clock.advance(11 * 3_600_000);
      expect((await call()).status).toBe(200);
    }
    await clock.advance(12 * 3_600_000);
    expect((await call()).status).toBe(401);
  });
});

describe('an invitation', () => {
  it('gets one session, and the token for the next', async () => {
    const invitation = running.host.invitation();
    const answer = await post('/api/session', { token: invitation });
    const { session, token } = (await answer.json()) as { session: string; token: string };
    expect(token).toBe(TOKEN);
    const call = await post('/api/call/chatStop', { answerId: 'a' }, { Authorization: `Bearer ${session}` });
    expect(call.status).toBe(200);
    expect((await post('/api/session', { token: invitation })).status).toBe(401);
  });

  it('is valid for two minutes', async () => {
    const invitation = running.host.invitation();
    await clock.advance(120_000);
    expect((await post('/api/session', { token: invitation })).status).toBe(401);
  });
});

describe('guesses of the token', () => {
  const guess = (token: string) => post('/api/session', { token });

  it('are slowed down more and more, even the right one', async () => {
    for (let count = 1; count <= 5; count += 1) expect((await guess(`wrong ${count}`)).status).toBe(401);
    const slowed = await guess('wrong 6');
    expect([slowed.status, slowed.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await guess(TOKEN)).status).toBe(429);
    for (const waitS of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await clock.advance(waitS * 1000 - 1);
      expect((await guess('wrong at once')).status).toBe(429);
      await clock.advance(1);
      expect((await guess(`wrong after ${waitS} s of ${clock.now()}`)).status).toBe(401);
    }
    await clock.advance(60_000);
    expect((await guess(TOKEN)).status).toBe(200);
  });

  it('do not include repeated attempts of a tab with an old address', async () => {
    for (let count = 0; count < 20; count += 1) expect((await guess('the old token')).status).toBe(401);
    expect((await guess(TOKEN)).status).toBe(200);
  });
});

describe('pushes', () => {
  const push: Push = { name: 'navigate', payload: { view: 'settings' } };

  it('arrive over a socket that a ticket opened', async () => {
    const socket = await knock(await openTicket(running.url, await openSession(running.url)));
    if (typeof socket === 'number') throw new Error(`turned away with ${socket}`);
    const first = new Promise((resolve) =>
      socket.once('message', (data) => resolve(JSON.parse(String(data)))),
    );
    running.pushes.emit(push);
    expect(await first).toEqual(push);
    socket.terminate();
  });

  it('need a ticket that is fresh and unused', async () => {
    const session = await openSession(running.url);
    const ticket = await openTicket(running.url, session);
    const socket = await knock(ticket);
    if (typeof socket !== 'number') socket.terminate();
    expect(socket).not.toBe(401);
    expect(await knock(ticket)).toBe(401);
    expect(await knock('')).toBe(401);
    expect(await knock(session)).toBe(401);
    const late = await openTicket(running.url, session);
    await clock.advance(10_000);
    expect(await knock(late)).toBe(401);
  });

  it('are rejected for a foreign page, whose attempt uses up no ticket', async () => {
    const ticket = await openTicket(running.url, await openSession(running.url));
    expect(await knock(ticket, 'http://evil.example')).toBe(403);
    const socket = await knock(ticket, `http://127.0.0.1:${running.port}`);
    expect(typeof socket).toBe('object');
    if (typeof socket !== 'number') socket.terminate();
  });

  it('close a page that gives no sign of life', async () => {
    const socket = await knock(await openTicket(running.url, await openSession(running.url)));
    if (typeof socket === 'number') throw new Error(`turned away with ${socket}`);
    const closed = new Promise((resolve) => socket.once('close', () => resolve('closed')));
    socket.pause();
    await clock.advance(60_000);
    socket.resume();
    expect(await closed).toBe('closed');
  });

  it('close a page that reads too slowly, so that it starts over', async () => {
    const socket = await knock(await openTicket(running.url, await openSession(running.url)));
    if (typeof socket === 'number') throw new Error(`turned away with ${socket}`);
    const closed = new Promise((resolve) => socket.once('close', () => resolve('closed')));
    socket.pause();
    const text = 'x'.repeat(1 << 20);
    for (let sent = 0; sent < 32; sent += 1) {
      running.pushes.emit({ name: 'answerText', payload: { answerId: 'a', chatId: 'c', offset: 0, text } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resume();
    expect(await closed).toBe('closed');
  });
});

describe('listening', () => {
  it('uses the next free port and names the program on the wanted one', async () => {
    const other = await startWebHost(dir, {}, clock, running.port);
    expect(other.port).toBeGreaterThan(running.port);
    const again = await fetch(`${other.url}/`);
    await other.host.close();
    expect(again.status).toBe(200);
  });

  it('does not open to other machines without a setting', async () => {
    await expect(running.host.listen(0, '0.0.0.0')).rejects.toMatchObject({ code: 'environment_invalid' });
  });
});
