import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BodyBudget } from '../../../src/main/gateway/body-budget';
import { createGateway } from '../../../src/main/gateway/server';
import { ROUTER_GATEWAY } from '../../../src/main/gateway/surface';
import { systemClock } from '../../../src/main/ports/clock';
import { freePort } from '../../../src/main/ports/free-port';
import { silentLogger } from '../../../src/main/ports/logger';
import { WebHost } from '../../../src/main/web/web-host';
import { FixedFacts } from '../../support/gateway-fixture';
import { handlersWith } from '../../support/web-host-fixture';

/** A listener may be closed at any moment of its start, for example when the app quits while it starts. */

interface Listener {
  listen(port: number, host: string): Promise<unknown>;
  close(): Promise<void>;
}

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tandem-binding-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const common = {
  allowedHosts: [],
  allowedOrigins: [],
  bodies: new BodyBudget(),
  clock: systemClock,
  logger: silentLogger,
};

const LISTENERS: Record<string, () => Listener> = {
  gateway: () =>
    createGateway({
      ...common,
      surface: ROUTER_GATEWAY,
      dispatcher: { async *dispatch() {} },
      facts: new FixedFacts(),
      settings: () => {
        throw new Error('nobody asks');
      },
      uiOrigins: () => [],
    }),
  'web host': () =>
    new WebHost({
      ...common,
      handlers: handlersWith({}),
      onPush: () => () => {},
      token: 'token',
      rendererDir: dir,
      insecureLan: false,
    }),
};

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

describe.each(Object.entries(LISTENERS))('a %s', (_name, create) => {
  it('that is closed before it listens never opens a port', async () => {
    const port = await freePort();
    const listener = create();
    await listener.close();
    await expect(listener.listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'cancelled' });
    expect(await isOpen(port)).toBe(false);
  });

  it('that is closed while it starts to listen leaves no port open', async () => {
    const port = await freePort();
    const listener = create();
    const listening = expect(listener.listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'cancelled' });
    await listener.close();
    await listening;
    expect(await isOpen(port)).toBe(false);
  });
});
