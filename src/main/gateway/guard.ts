import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { TandemError } from '../../shared/errors';
import { isAllowedHost, isAllowedOrigin } from '../../shared/local-origin';
import { goesRound, isFromLoopback, requestIdOf } from './headers';
import type { GatewayOptions } from './options';

export interface GuardOptions extends Pick<GatewayOptions, 'uiOrigins' | 'allowedHosts' | 'allowedOrigins'> {
  instanceId: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The client's id for the request, also in `X-Request-Id`. */
    tandemId: string;
  }
}

/**
 * Checks every request before its body is read: `forbidden_host` and `forbidden_origin` (403) against web pages and
 * rebound DNS names, `loop_detected` (508) for a request that this instance itself has sent.
 */
export function guard(options: GuardOptions): onRequestHookHandler {
  return (request, reply, done) => {
    request.tandemId = requestIdOf(request.headers);
    reply.header('X-Request-Id', request.tandemId);
    reply.header('X-Content-Type-Options', 'nosniff');
    const refusal = refuse(request, options);
    if (refusal) return done(refusal);
    if (request.headers.origin !== undefined) allowPage(reply, request.headers.origin);
    if (request.method === 'OPTIONS') return void reply.code(204).send();
    done();
  };
}

function refuse(request: FastifyRequest, options: GuardOptions): TandemError | null {
  const port = request.socket.localPort ?? 0;
  // HTTP/1.0 has no Host header, and no browser uses it.
  const isOld = request.headers.host === undefined && request.raw.httpVersion === '1.0';
  const mayLackHost = isOld && isFromLoopback(request.socket.remoteAddress);
  if (
    !mayLackHost &&
    !isAllowedHost(request.headers.host, { port, anyPort: true, allowed: options.allowedHosts })
  ) {
    return new TandemError(
      'forbidden_host',
      'this host name is not served here; use 127.0.0.1, or add the name to TANDEM_ALLOWED_HOSTS',
    );
  }
  const origins = [...options.uiOrigins(), ...options.allowedOrigins];
  if (!isAllowedOrigin(request.headers.origin, origins)) {
    return new TandemError(
      'forbidden_origin',
      'pages of this origin may not call Tandem; add the origin to TANDEM_ALLOWED_ORIGINS to let them',
    );
  }
  if (goesRound(request.headers, options.instanceId)) {
    return new TandemError(
      'loop_detected',
      'this request has been through Tandem already; point OLLAMA_API_URL, MLX_API_URL and moreBackends at the real servers',
    );
  }
  return null;
}

/** Lets the browser pass the response to the requesting page; called only for allowed origins. */
function allowPage(reply: FastifyReply, origin: string): void {
  reply.header('Access-Control-Allow-Origin', origin);
  reply.header('Vary', 'Origin');
  reply.header('Access-Control-Allow-Methods', 'GET, HEAD, POST, OPTIONS');
  reply.header(
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, X-Request-Id, X-Request-Priority, X-Tandem-Strict, X-Tandem-Client',
  );
  reply.header(
    'Access-Control-Expose-Headers',
    [
      'Retry-After',
      'X-Request-Id',
      'X-Tandem-Backend',
      'X-Tandem-Model',
      'X-Tandem-Category',
      'X-Tandem-Queue-Ms',
      'X-Tandem-Reasons',
    ].join(', '),
  );
}
