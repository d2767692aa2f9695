import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Push } from '../../shared/contract';
import type { Clock } from '../ports/clock';
import type { Unsubscribe } from '../ports/emitter';

/** Interval of pings; a socket that did not answer the last one is closed. */
const HEARTBEAT_MS = 30_000;
/** Limit of bytes buffered for one slow page; above it the page must reconnect and gets a fresh snapshot. */
const MAX_BUFFERED = 1024 * 1024;
/** Limit of open pages; a user has a few. */
const MAX_PAGES = 16;
/** From the registry of WebSocket close codes. */
const CLOSE_TRY_AGAIN_LATER = 1013;
const CLOSE_GOING_AWAY = 1001;
/** Pages send nothing on this socket. */
const MAX_INCOMING = 1_024;

export interface PushSocketOptions {
  onPush: (listener: (push: Push) => void) => Unsubscribe;
  clock: Clock;
}

/** Sends the core's pushes to the open pages. Idle while no page is open. */
export class PushSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_INCOMING,
    perMessageDeflate: false,
  });
  readonly #alive = new WeakSet<WebSocket>();
  readonly #options: PushSocketOptions;
  #stopListening: Unsubscribe | null = null;
  #stopHeartbeat: Unsubscribe | null = null;

  constructor(options: PushSocketOptions) {
    this.#options = options;
  }

  /** Takes over a connection whose authorisation has been checked. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (client) => {
      if (this.#server.clients.size > MAX_PAGES) client.close(CLOSE_TRY_AGAIN_LATER, 'too many pages');
      else this.#add(client);
    });
  }

  close(): void {
    this.#idle();
    for (const client of this.#server.clients) {
      client.close(CLOSE_GOING_AWAY);
      client.terminate();
    }
    this.#server.close();
  }

  #add(client: WebSocket): void {
    this.#alive.add(client);
    client.on('pong', () => this.#alive.add(client));
    client.on('error', () => client.terminate());
    client.on('close', () => {
      if (this.#server.clients.size === 0) this.#idle();
    });
    this.#stopListening ??= this.#options.onPush((push) => this.#send(push));
    this.#stopHeartbeat ??= this.#options.clock.every(HEARTBEAT_MS, () => this.#beat());
  }

  /** Serialised once for all pages. */
  #send(push: Push): void {
    const text = JSON.stringify(push);
    for (const client of this.#server.clients) {
      if (client.readyState !== client.OPEN) continue;
      if (client.bufferedAmount > MAX_BUFFERED) {
        client.close(CLOSE_TRY_AGAIN_LATER, 'too slow');
        client.terminate();
      } else {
        client.send(text);
      }
    }
  }

  #beat(): void {
    for (const client of this.#server.clients) {
      if (!this.#alive.delete(client)) client.terminate();
      else client.ping();
    }
  }

  #idle(): void {
    this.#stopListening?.();
    this.#stopHeartbeat?.();
    this.#stopListening = null;
    this.#stopHeartbeat = null;
  }
}
