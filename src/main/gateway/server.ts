import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { isTandemError, TandemError } from '../../shared/errors';
import { isLoopback } from '../../shared/local-origin';
import { Binding } from '../ports/binding';
import { bindFailure, findPortHolder, portTaken } from '../ports/port-holder';
import { ollamaError } from './dialects/ollama';
import { answerFailures, answerUnreadable } from './failures';
import { guard } from './guard';
import { healthBody } from './health';
import { ollamaRoutes } from './ollama-routes';
import { OpenRequests } from './open-requests';
import type { GatewayOptions } from './options';
import { BODY_LIMIT, readBodies } from './request-body';

/** Time limit for a client to send its request, ms. */
const REQUEST_TIMEOUT_MS = 120_000;

export interface Gateway {
  /**
   * Binds; port 0 takes any free one. Rejects with `port_taken`, naming the holder if known, or with
   * `environment_invalid` for an address that other machines can reach, because there are no keys to authenticate them.
   */
  listen(port: number, host: string): Promise<{ port: number; url: string }>;
  /** Aborts all answers with an error frame and closes all connections; also before `listen`. Safe to call twice. */
  close(): Promise<void>;
}

/** One HTTP listener; the router gateway and the MLX API are two of them with different surfaces. */
export function createGateway(options: GatewayOptions): Gateway {
  const inFlight = new OpenRequests();
  const app = build(options, inFlight);
  const binding = new Binding();
  return {
    async listen(port, host) {
      if (!isLoopback(host)) {
        throw new TandemError(
          'environment_invalid',
          `${host} can be reached by other machines, and there are no keys yet; use 127.0.0.1`,
        );
      }
      try {
        await binding.run(() => app.listen({ port, host }));
      } catch (error) {
        if (isTandemError(error)) throw error;
        const { portVariable } = options.surface;
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
          throw bindFailure(error, port, host, portVariable);
        throw portTaken(port, await findPortHolder(port), portVariable);
      }
      const bound = (app.server.address() as AddressInfo).port;
      return { port: bound, url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}` };
    },
    async close() {
      inFlight.abortAll(new TandemError('cancelled', 'Tandem is stopping. Try again when it runs.'));
      await binding.close(() => app.close());
    },
  };
}

function build(options: GatewayOptions, inFlight: OpenRequests): FastifyInstance {
  const { facts, settings, logger } = options;
  const check = guard({ ...options, instanceId: facts.instanceId });
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    frameworkErrors: (thrown, request, reply) =>
      answerUnreadable(thrown, (done) => check.call(app, request, reply, done), reply),
  });
  app.decorateRequest('tandemId', '');
  app.addHook('onRequest', check);
  readBodies(app, options.bodies, options.largeBody);
  answerFailures(app, ollamaError, logger);
  app.get('/health', () => healthBody(facts, settings()));
  app.get('/queue/stats', () => facts.queue());
  ollamaRoutes(app, options, inFlight);
  return app;
}
