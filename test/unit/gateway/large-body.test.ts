import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { startGateway } from '../../support/gateway-fixture';
import { ScriptedDispatcher } from '../../support/scripted-dispatcher';

/** Sends its whole body before it reads, as blocking clients do; resolves with the response. */
function sendThenRead(port: number, head: string, body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (part) => {
      text += part;
    });
    socket.on('close', () => resolve(text));
    socket.pause();
    socket.write(head);
    socket.write(body, () => socket.resume());
  });
}

it('lets a client that sends everything first still read the 413', async () => {
  const running = await startGateway(new ScriptedDispatcher());
  const body = Buffer.alloc(60 * 1024 * 1024, 'x');
  const head = [
    'POST /api/chat HTTP/1.1',
    `Host: 127.0.0.1:${running.port}`,
    'Connection: close',
    `Content-Length: ${body.length}`,
    '\r\n',
  ].join('\r\n');
  const answer = await sendThenRead(running.port, head, body);
  await running.gateway.close();
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toContain('"code":"body_too_large"');
});
