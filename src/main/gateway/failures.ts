import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ERROR_CODES, TandemError, toTandemError } from '../../shared/errors';
import { traceOf } from '../contract/binder';
import type { Logger } from '../ports/logger';
import { ollamaError } from './dialects/ollama';

/** Seconds until a retry, if the failure itself gives none. */
const DEFAULT_RETRY_S = 5;
/** The same if the user must install something first. */
const INSTALL_RETRY_S = 60;
/** Limits for reading the rest of a refused body. */
const DISCARD_BYTES = 512 * 1024 * 1024;
const DISCARD_MS = 10_000;

/**
 * Answers every thrown error with the status and `Retry-After` of its code, in the form of `format`; each dialect may
 * set its own format in its plugin.
 */
export function answerFailures(
  app: FastifyInstance,
  format: (error: TandemError) => object,
  logger: Logger,
): void {
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = translate(thrown);
    await discardBody(request.raw);
    if (error.code === 'internal') {
      logger.error('request failed', { id: request.tandemId, trace: traceOf(thrown) });
    }
    return refuse(reply, error, format);
  });
  app.setNotFoundHandler((request) => {
    throw new TandemError(
      'not_found',
      `there is no ${request.method} on this path; GET / names what answers here`,
    );
  });
}

/** Answers a request whose path the framework cannot parse: neither hooks nor error handlers have run then. */
export function answerUnreadable(
  thrown: unknown,
  check: (done: (refusal?: Error) => void) => void,
  reply: FastifyReply,
): void {
  check((refusal) => void refuse(reply, translate(refusal ?? thrown), ollamaError));
}

function refuse(reply: FastifyReply, error: TandemError, format: (error: TandemError) => object) {
  const { http } = ERROR_CODES[error.code];
  const retry = error.retryAfterS ?? (http === 429 || http === 503 ? defaultRetryS(error) : undefined);
  if (retry !== undefined) reply.header('Retry-After', String(Math.max(1, Math.ceil(retry))));
  return reply.code(http).type('application/json; charset=utf-8').send(format(error));
}

function defaultRetryS({ code }: TandemError): number {
  return code === 'no_model' || code === 'backend_absent' ? INSTALL_RETRY_S : DEFAULT_RETRY_S;
}

/** Maps Fastify's own errors to our codes. */
function translate(thrown: unknown): TandemError {
  const code = (thrown as { code?: unknown } | null)?.code;
  const status = (thrown as { statusCode?: unknown } | null)?.statusCode;
  if (typeof code === 'string' && code.startsWith('FST_') && typeof status === 'number' && status < 500) {
    return new TandemError('bad_request', 'the request cannot be read; check its headers and its body', {
      cause: thrown,
    });
  }
  return toTandemError(thrown);
}

/**
 * Reads and discards the rest of a body: a client that is still sending would see a broken connection instead of the
 * response. Limited in bytes and in time.
 */
async function discardBody(raw: IncomingMessage): Promise<void> {
  if (raw.readableEnded || raw.destroyed) return;
  await new Promise<void>((resolve) => {
    let bytes = 0;
    const timer = setTimeout(resolve, DISCARD_MS);
    const finish = () => {
      clearTimeout(timer);
      resolve();
    };
    raw.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > DISCARD_BYTES) finish();
    });
    raw.once('end', finish).once('close', finish).once('error', finish);
    raw.resume();
  });
}
