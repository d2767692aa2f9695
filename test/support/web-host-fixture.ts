import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/main/ports/clock';
import { Emitter } from '../../src/main/ports/emitter';
import { silentLogger } from '../../src/main/ports/logger';
import { WebHost } from '../../src/main/web/web-host';
import type { Handlers, Push } from '../../src/shared/contract';
import { TandemError } from '../../src/shared/errors';

export const TOKEN = 'the-long-lived-token';

/** Handlers that do nothing, except those that a test passes. */
export function handlersWith(given: Partial<Handlers>): Handlers {
  return new Proxy(given as Handlers, {
    get: (table, name) =>
      Reflect.get(table, name) ??
      (async () => {
        throw new TandemError('internal', `no handler for ${String(name)} in this test`);
      }),
  });
}

export interface RunningWebHost {
  host: WebHost;
  port: number;
  url: string;
  pushes: Emitter<Push>;
}

/** A web host on a free loopback port, serving a page created in `dir`. */
export async function startWebHost(
  dir: string,
  handlers: Partial<Handlers> = {},
  clock: Clock = systemClock,
  port = 0,
): Promise<RunningWebHost> {
  await mkdir(join(dir, 'assets'), { recursive: true });
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>Tandem</title>');
  await writeFile(join(dir, 'assets', 'index-abc.js'), 'export {};');
  const pushes = new Emitter<Push>();
  const host = new WebHost({
    handlers: handlersWith(handlers),
    onPush: pushes.subscribe,
    token: TOKEN,
    rendererDir: dir,
    allowedHosts: [],
    allowedOrigins: ['https://tandem.example'],
    insecureLan: false,
    checkOutput: true,
    clock,
    logger: silentLogger,
  });
  const address = await host.listen(port, '127.0.0.1');
  return { host, pushes, port: address.port, url: address.url };
}

/** A session obtained with the right token. */
export async function openSession(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token: TOKEN }),
  });
  return ((await answer.json()) as { session: string }).session;
}

export async function openTicket(url: string, session: string): Promise<string> {
  const answer = await fetch(`${url}/api/ticket`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${session}` },
    body: '{}',
  });
  return ((await answer.json()) as { ticket: string }).ticket;
}
