import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWebBridge } from '../../../src/renderer/bridge/web-bridge';
import type { PageWindow } from '../../../src/renderer/bridge/web-session';
import type { Bridge, Push } from '../../../src/shared/contract';
import { type RunningWebHost, startWebHost, TOKEN } from '../../support/web-host-fixture';

let dir: string;
let running: RunningWebHost;
const handlers = { chatStop: async () => ({}) };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tandem-bridge-'));
  running = await startWebHost(dir, handlers);
});
afterEach(async () => {
  await running.host.close();
  await rm(dir, { recursive: true });
});

/** A page as the bridge sees it; the storage survives a reload. */
function page(query: string, storage = new Map<string, string>()) {
  const addresses: string[] = [];
  const window: PageWindow = {
    location: { href: `${running.url}/${query}`, host: `127.0.0.1:${running.port}`, protocol: 'http:' },
    history: { replaceState: (_state, _title, url) => void addresses.push(String(url)) },
    sessionStorage: {
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => void storage.set(key, value),
      removeItem: (key) => void storage.delete(key),
    },
    fetch: (path, init) => fetch(`${running.url}${String(path)}`, init),
    WebSocket,
  };
  return { window, addresses, storage };
}

const stop = (bridge: Bridge) => bridge.call('chatStop', { answerId: 'a' });

describe('the web bridge', () => {
  it('drops the token from the address and keeps only a session', async () => {
    const { window, addresses, storage } = page(`?token=${TOKEN}&view=status#x`);
    const bridge = createWebBridge(window);
    expect(addresses).toEqual(['/?view=status#x']);
    expect(await stop(bridge)).toEqual({ ok: true, value: {} });
    expect([...storage.values()].join()).not.toContain(TOKEN);
  });

  it('continues after a reload without the token', async () => {
    const { window, storage } = page(`?token=${TOKEN}`);
    await stop(createWebBridge(window));
    expect(await stop(createWebBridge(page('', storage).window))).toEqual({ ok: true, value: {} });
  });

  it.each([
    ['the token', () => TOKEN],
    ['an invitation', () => running.host.invitation()],
  ])('gets a new session when the server has forgotten the one of %s', async (_name, secret) => {
    const bridge = createWebBridge(page(`?token=${secret()}`).window);
    await stop(bridge);
    await running.host.close();
    running = await startWebHost(dir, handlers, undefined, running.port);
    expect(await stop(bridge)).toEqual({ ok: true, value: {} });
  });

  it('reports to a page without a token that it is not signed in, and without a server that it is offline', async () => {
    const bridge = createWebBridge(page('').window);
    expect(await stop(bridge)).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
    await running.host.close();
    expect(await stop(bridge)).toMatchObject({ ok: false, error: { code: 'disconnected' } });
    running = await startWebHost(dir, handlers);
  });

  it('gets pushes, reports a broken connection, and reconnects automatically', async () => {
    const bridge = createWebBridge(page(`?token=${TOKEN}`).window);
    const states: boolean[] = [];
    let onState = () => {};
    bridge.onConnection((connected) => {
      states.push(connected);
      onState();
    });
    const state = (wanted: boolean) =>
      new Promise<void>((resolve) => {
        onState = () => states.at(-1) === wanted && resolve();
        onState();
      });
    let onPush: (push: Push) => void = () => {};
    const unsubscribe = bridge.subscribe((push) => onPush(push));
    const next = () => new Promise<Push>((resolve) => (onPush = resolve));

    await state(true);
    const push: Push = { name: 'chatChanged', payload: { chatId: 'c' } };
    const first = next();
    running.pushes.emit(push);
    expect(await first).toEqual(push);

    await running.host.close();
    await state(false);
    running = await startWebHost(dir, handlers, undefined, running.port);
    await state(true);
    const second = next();
    running.pushes.emit(push);
    expect(await second).toEqual(push);
    unsubscribe();
    expect(states).toEqual([true, false, true]);
  });
});
