import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import type { Duplex } from 'node:stream';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Handlers, Push } from '../../shared/contract';
import { ERROR_CODES, TandemError } from '../../shared/errors';
import { isLoopback, localOrigins } from '../../shared/local-origin';
import { callHandler, failure, traceOf } from '../contract/binder';
import { Binding } from '../ports/binding';
import type { Clock } from '../ports/clock';
import type { Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import { findPortHolder, type PortHolder } from '../ports/port-holder';
import { Credentials } from './credentials';
import { Guesses } from './guesses';
import { PushSockets } from './push-sockets';
import { securityHeaders } from './security-headers';
import { bindsTo, refuseRequest, tooManyGuesses, translateFailure, unauthorized } from './web-guard';

/** A message may have a million characters, each up to 6 bytes when escaped. */
const BODY_LIMIT = 8 * 1024 * 1024;
const SMALL_BODY = 4_096;
/** Number of ports to try, from the wanted one on. */
const PORT_TRIES = 20;

export interface WebHostOptions {
  handlers: Handlers;
  onPush: (listener: (push: Push) => void) => Unsubscribe;
  /** Long-lived; printed with the address, never logged. */
  token: string;
  /** Folder of the built UI. */
  rendererDir: string;
  /** In addition to the built-in ones. */
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  /** The user allowed other machines to reach the UI unencrypted. */
  insecureLan: boolean;
  /** Checks handlers' outputs against the contract (tests, development). */
  checkOutput?: boolean;
  clock: Clock;
  logger: Logger;
}

export interface WebHostAddress {
  port: number;
  /** Without the token. */
  url: string;
  /** Set if the wanted port was taken and the next free one is used. */
  moved: { from: number; holder: PortHolder | null } | null;
}

const sessionRequest = z.object({ token: z.string().max(1_000) });

/** Serves the built UI and the contract to browsers. */
export class WebHost {
  readonly #options: WebHostOptions;
  readonly #credentials: Credentials;
  readonly #guesses: Guesses;
  readonly #sockets: PushSockets;
  readonly #app: FastifyInstance;
  readonly #binding = new Binding();
  #port: number | null = null;
  #anyAddress = false;

  constructor(options: WebHostOptions) {
    this.#options = options;
    this.#credentials = new Credentials(options.token, options.clock);
    this.#guesses = new Guesses(options.clock);
    this.#sockets = new PushSockets(options);
    this.#app = Fastify({
      bodyLimit: BODY_LIMIT,
      forceCloseConnections: true,
      requestTimeout: 60_000,
      // A path that cannot be parsed: neither hooks nor the error handler run for it.
      frameworkErrors: (thrown, request, reply) =>
        this.#answer(this.#check(request, reply) ?? translateFailure(thrown), reply),
    });
    this.#guard();
    this.#routes();
    this.#files();
    this.#app.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /**
   * Binds to the port or, if it is taken, to the next free one. Rejects with `environment_invalid` for an address that
   * other machines can reach, unless that was allowed, and with `port_taken` if none of the ports is free.
   */
  async listen(wanted: number, address: string): Promise<WebHostAddress> {
    this.#anyAddress = !isLoopback(address);
    if (this.#anyAddress && !this.#options.insecureLan) {
      throw new TandemError(
        'environment_invalid',
        `${address} can be reached by other machines, unencrypted. Use 127.0.0.1, or start with --insecure-lan.`,
      );
    }
    const moved = await this.#binding.run(() => this.#bind(wanted, address));
    this.#port = (this.#app.server.address() as AddressInfo).port;
    const name = address.includes(':') ? `[${address}]` : address;
    return { port: this.#port, url: `http://${name}:${this.#port}`, moved };
  }

  /** A one-time replacement for the token, for places that others can read, such as a command line. */
  invitation(): string {
    return this.#credentials.openInvitation();
  }

  /** Origins of the UI, for the gateway's guard; empty while the UI does not listen. */
  origins(): readonly string[] {
    return this.#port === null ? [] : localOrigins(this.#port);
  }

  async close(): Promise<void> {
    this.#sockets.close();
    await this.#binding.close(() => this.#app.close());
  }

  async #bind(wanted: number, address: string): Promise<WebHostAddress['moved']> {
    await this.#app.ready();
    const last = Math.min(wanted + PORT_TRIES - 1, 65_535);
    for (let port = wanted; port <= last; port += 1) {
      if (!(await bindsTo(this.#app.server, port, address))) continue;
      return port === wanted ? null : { from: wanted, holder: await findPortHolder(wanted) };
    }
    throw new TandemError('port_taken', `Ports ${wanted} to ${last} are all taken. Set TANDEM_WEB_PORT=0.`);
  }

  #guard(): void {
    this.#app.addHook('onRequest', (request, reply, done) => done(this.#check(request, reply) ?? undefined));
    this.#app.setErrorHandler((thrown, _request, reply) => {
      const error = translateFailure(thrown);
      if (error.code === 'internal') {
        this.#options.logger.error('page request failed', { trace: traceOf(thrown) });
      }
      this.#answer(error, reply);
    });
    this.#app.setNotFoundHandler((_request, reply) => {
      const error = new TandemError('not_found', 'There is no such page. Open the address without a path.');
      reply.code(404).send(failure(error));
    });
  }

  /** Sets the headers of every response. Returns why the request must be refused, or null. */
  #check(request: FastifyRequest, reply: FastifyReply): TandemError | null {
    const refusal = this.#refuse(request.raw);
    reply.headers(securityHeaders(refusal ? 'localhost' : (request.headers.host ?? 'localhost')));
    return refusal;
  }

  #answer(error: TandemError, reply: FastifyReply): void {
    if (error.retryAfterS !== undefined) reply.header('Retry-After', String(Math.ceil(error.retryAfterS)));
    reply.code(ERROR_CODES[error.code].http).send(failure(error));
  }

  #routes(): void {
    this.#app.post('/api/session', { bodyLimit: SMALL_BODY }, (request, reply) => {
      const body = sessionRequest.safeParse(request.body);
      if (!body.success) throw unauthorized();
      const retryAfterS = this.#guesses.waitS(request.ip);
      if (retryAfterS > 0) throw tooManyGuesses(retryAfterS);
      const given = body.data.token;
      const invited = this.#credentials.takeInvitation(given);
      const opened = this.#credentials.openSession(invited ? this.#options.token : given);
      if (!opened) {
        this.#guesses.wrong(request.ip, given);
        throw unauthorized();
      }
      // An invited client needs the token when its session has expired.
      const token = invited ? { token: this.#options.token } : {};
      return reply.header('Cache-Control', 'no-store').send({ ...opened, ...token });
    });
    // Checked before the body is read: only authorised clients may use memory.
    const signedIn = { onRequest: async (request: FastifyRequest) => this.#checkSession(request) };
    this.#app.post('/api/ticket', { ...signedIn, bodyLimit: SMALL_BODY }, (_request, reply) =>
      reply.header('Cache-Control', 'no-store').send(this.#credentials.openTicket()),
    );
    this.#app.post<{ Params: { name: string } }>('/api/call/:name', signedIn, async (request, reply) => {
      const { handlers } = this.#options;
      const caller = { host: 'web' } as const;
      const outcome = await callHandler(handlers, request.params.name, request.body, caller, this.#options);
      const status = outcome.ok ? 200 : statusOf(outcome.error.code);
      return reply.code(status).header('Cache-Control', 'no-store').send(outcome);
    });
  }

  /** The page itself is never cached; its assets have a content hash in their names. */
  #files(): void {
    const assets = `${join(this.#options.rendererDir, 'assets')}${sep}`;
    this.#app.register(fastifyStatic, {
      root: this.#options.rendererDir,
      cacheControl: false,
      setHeaders: (reply, path) => {
        const immutable = path.startsWith(assets);
        reply.header('Cache-Control', immutable ? 'public, max-age=31536000, immutable' : 'no-store');
      },
    });
  }

  #refuse(request: IncomingMessage): TandemError | null {
    return refuseRequest(request, { ...this.#options, anyAddress: this.#anyAddress });
  }

  #checkSession(request: FastifyRequest): void {
    const session = /^Bearer ([\w-]{1,200})$/.exec(request.headers.authorization ?? '')?.[1];
    if (session === undefined || !this.#credentials.checkSession(session)) throw unauthorized();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const url = URL.parse(request.url ?? '', 'http://localhost');
    if (this.#refuse(request)) {
      turnAway(socket, '403 Forbidden');
    } else if (url?.pathname !== '/api/push') {
      turnAway(socket, '404 Not Found');
    } else if (!this.#credentials.takeTicket(url.searchParams.get('ticket') ?? '')) {
      turnAway(socket, '401 Unauthorized');
    } else {
      this.#sockets.accept(request, socket, head);
    }
  }
}

function statusOf(code: string): number {
  return Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as keyof typeof ERROR_CODES].http : 500;
}

function turnAway(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
