import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A TCP loopback port that is free now. Another program may take it before it is used, so use this only for servers
 * that cannot report a port chosen by themselves.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return address.port;
}
