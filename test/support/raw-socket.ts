import { connect, type Socket } from 'node:net';

/** One connection on which a test writes what no client library would send. */
export interface RawSocket {
  socket: Socket;
  /** The text received so far. */
  text(): string;
  /** Resolves when the received text is enough; rejects when the connection ends first. */
  received(isEnough: (text: string) => boolean): Promise<void>;
  /** Resolves with the whole received text once the other side has closed the connection. */
  closed: Promise<string>;
}

/** @param reads false: it never reads a byte */
export function rawSocket(port: number, { reads = true } = {}): RawSocket {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  const check = new Set<() => void>();
  socket.setEncoding('latin1');
  // A reset counts as an end: the text received before it is what matters.
  socket.on('error', () => {});
  if (reads) {
    socket.on('data', (part: string) => {
      text += part;
      for (const each of check) each();
    });
  }
  const closed = new Promise<string>((settle) => socket.once('close', () => settle(text)));
  return {
    socket,
    text: () => text,
    closed,
    received: (isEnough) =>
      new Promise((settle, reject) => {
        const look = () => isEnough(text) && settle();
        check.add(look);
        void closed.then(() => reject(new Error(`closed too early: ${text.slice(0, 500)}`)));
        look();
      }),
  };
}

/** Sends this and closes our side; resolves with the response. */
export function exchangeRaw(port: number, text: string): Promise<string> {
  const { socket, closed } = rawSocket(port);
  socket.end(text, 'latin1');
  return closed;
}
