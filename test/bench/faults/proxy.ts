import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the next completion's answer breaks. */
export const FRAME_FAULTS = [
  'truncated',
  'malformed',
  'half-character',
  'headers-only',
  'reset-before',
  'reset-after',
  'busy',
] as const;
export type FrameFault = (typeof FRAME_FAULTS)[number];

export interface FaultProxy {
  url: string;
  /** Breaks the next completion; resolves when that has happened. */
  arm(fault: FrameFault): Promise<void>;
  /** Cancels an armed fault that has not happened, and releases hanging answers. */
  disarm(): void;
  /** Arrival times of completions, wall time in ms. */
  arrivals: number[];
  close(): Promise<void>;
}

/** A proxy in front of a real Ollama: forwards everything unchanged, and breaks single answers on request. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const arrivals: number[] = [];
  let armed: { fault: FrameFault; done: () => void } | null = null;
  const hanging = new Set<ServerResponse>();
  const server = createServer((incoming, outgoing) => {
    const completion = incoming.url === '/api/chat' || incoming.url === '/api/generate';
    if (completion) arrivals.push(Date.now());
    const fault = completion ? armed : null;
    if (fault) armed = null;
    if (fault?.fault === 'reset-before') {
      incoming.socket.resetAndDestroy();
      fault.done();
    } else if (fault?.fault === 'busy') {
      outgoing.writeHead(503, { 'content-type': 'application/json' });
      outgoing.end(
        JSON.stringify({ error: 'server busy, please try again.  maximum pending requests exceeded' }),
      );
      fault.done();
    } else pass(upstream, incoming, outgoing, fault, hanging);
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    arm: (fault) =>
      new Promise((done) => {
        armed = { fault, done };
      }),
    disarm() {
      armed = null;
      for (const response of hanging) response.destroy();
      hanging.clear();
    },
    close: () =>
      new Promise((settle) => {
        server.close(() => settle());
        server.closeAllConnections();
      }),
  };
}

function pass(
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  armed: { fault: FrameFault; done: () => void } | null,
  hanging: Set<ServerResponse>,
): void {
  // The server goes on with an answer that was broken here, and nobody reads it. To close the connection would cancel it, and
  // the llama-server of Ollama 0.34 sometimes answers nothing any more after a cancelled stream (llama.cpp issue 27604).
  let broken = false;
  const onward = httpRequest(
    `${upstream}${incoming.url}`,
    { method: incoming.method, headers: incoming.headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      let frames = 0;
      answer.on('data', (chunk: Buffer) => {
        frames += 1;
        if (armed && (armed.fault === 'headers-only' || frames === 5)) {
          broken = true;
          breakAnswer(armed.fault, chunk, outgoing, hanging);
          armed.done();
          armed = null;
        } else if (!broken && !outgoing.destroyed) outgoing.write(chunk);
      });
      answer.on('end', () => broken || outgoing.end());
      answer.on('error', () => outgoing.destroy());
    },
  );
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => broken || onward.destroy());
  incoming.pipe(onward);
}

function breakAnswer(
  fault: FrameFault,
  chunk: Buffer,
  outgoing: ServerResponse,
  hanging: Set<ServerResponse>,
): void {
  const content = chunk.indexOf('"content":"') + '"content":"'.length;
  switch (fault) {
    case 'truncated':
      outgoing.end(chunk.subarray(0, Math.floor(chunk.length / 2)));
      return;
    case 'malformed':
      outgoing.end('{"message":{"content":}\n');
      return;
    case 'half-character':
      outgoing.end(Buffer.concat([chunk.subarray(0, content), Buffer.from([0xd0])]));
      return;
    case 'headers-only':
      hanging.add(outgoing);
      return;
    default:
      outgoing.socket?.resetAndDestroy();
  }
}
