import type { IncomingMessage, Server } from 'node:http';
import { TandemError, toTandemError } from '../../shared/errors';
import { isAllowedHost, isAllowedOrigin } from '../../shared/local-origin';
import { bindFailure } from '../ports/port-holder';

export interface WebGuardOptions {
  /** In addition to the built-in ones. */
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  /** The user opened the listener to the network. */
  anyAddress: boolean;
}

/**
 * Why this request must be refused, or null: its Host must name this listener, and its Origin, if any, must be the page
 * that this listener serves.
 */
export function refuseRequest(request: IncomingMessage, options: WebGuardOptions): TandemError | null {
  const { host, origin } = request.headers;
  const port = request.socket.localPort ?? 0;
  if (!isAllowedHost(host, { port, allowed: options.allowedHosts, anyAddress: options.anyAddress })) {
    const cure = 'Use 127.0.0.1, or add the name to TANDEM_ALLOWED_HOSTS.';
    return new TandemError('forbidden_host', `This host name is not served here. ${cure}`);
  }
  if (!isAllowedOrigin(origin, [`http://${host}`, `https://${host}`, ...options.allowedOrigins])) {
    const cure = "Open Tandem's own page, or add the origin to TANDEM_ALLOWED_ORIGINS.";
    return new TandemError('forbidden_origin', `Pages of this origin may not use Tandem. ${cure}`);
  }
  return null;
}

export function unauthorized(): TandemError {
  return new TandemError('unauthorized', 'This page is not signed in. Open the address that Tandem printed.');
}

export function tooManyGuesses(retryAfterS: number): TandemError {
  return new TandemError(
    'rate_limited',
    'Too many wrong tokens came from this address. Wait a minute, then open the address that Tandem printed.',
    { retryAfterS },
  );
}

/** Maps the server framework's own errors to our codes. */
export function translateFailure(thrown: unknown): TandemError {
  const { code, statusCode } = (thrown ?? {}) as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new TandemError('body_too_large', 'The message is too long. Shorten it.', { cause: thrown });
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new TandemError('bad_request', 'The request cannot be read. Reload the page.', { cause: thrown });
  }
  return toTandemError(thrown);
}

/** Binds a server; false if the port is taken. Unlike the framework's `listen`, it can then be called again. */
export function bindsTo(server: Server, port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      server.off('listening', onListening);
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(bindFailure(error, port, host, 'TANDEM_WEB_PORT'));
    };
    const onListening = () => {
      server.off('error', onError);
      resolve(true);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen(port, host);
  });
}
