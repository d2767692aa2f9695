import type { FastifyReply } from 'fastify';
import type { CompletionRequest } from '../../shared/domain';
import { TandemError, toTandemError } from '../../shared/errors';
import type { Clock } from '../ports/clock';
import type { Dispatcher, RouterEvent } from '../router/types';
import { type CollectedAnswer, type Encoder, type Finish, isLoad, type Visible } from './encoder';
import { trailHeaders } from './headers';
import { Outbox } from './outbox';
import { emptyTrail, follow, type Trail } from './trail';

export interface Exchange {
  request: CompletionRequest;
  /** Id as the client knows it. */
  requestId: string;
  stream: boolean;
  encoder: Encoder;
  dispatcher: Dispatcher;
  reply: FastifyReply;
  clock: Clock;
  /** Aborts when the client leaves or the listener closes. */
  signal: AbortSignal;
  /** Ends the exchange from this side (a client that stopped reading). */
  abort: (reason: TandemError) => void;
  /** Does a request wait for its turn? */
  othersWait: () => boolean;
}

/**
 * Sends one request through the router and its answer to the client. Before the first byte a failure is thrown, so
 * that it gets its true HTTP status; after it, the stream ends with the dialect's error frame. Each event is written
 * at once; the outbox bounds how far the server may run ahead of the client.
 */
export async function respond(exchange: Exchange): Promise<void> {
  const { clock, reply, encoder } = exchange;
  const trail = emptyTrail();
  let outbox: Outbox | null = null;
  let answer = emptyAnswer();
  const receivedAt = clock.now();
  let visibleAt: number | null = null;
  let finished = false;
  try {
    for await (const event of exchange.dispatcher.dispatch(exchange.request, exchange.signal)) {
      follow(trail, event);
      if (event.type === 'attempt') {
        // Whatever a server that failed had said of a whole answer, the next one says it all.
        answer = emptyAnswer();
      } else if (event.type === 'started') {
        visibleAt = clock.now();
        if (exchange.stream) outbox ??= openStream(exchange, trail);
      } else if (event.type === 'end') {
        const now = clock.now();
        const finish: Finish = {
          requestId: exchange.requestId,
          end: event.end,
          trail,
          totalMs: now - receivedAt,
          visibleMs: now - (visibleAt ?? now),
        };
        // Loading and unloading are answered by one plain object even where a stream was asked for.
        if (exchange.stream && !isLoad(finish.end)) outbox ??= openStream(exchange, trail);
        if (outbox) outbox.end(encoder.last(finish));
        else reply.headers(trailHeaders(trail)).send(encoder.whole(answer, finish));
        // Not left early: that would cancel a request which is about to be counted as done.
        finished = true;
      } else if (isVisible(event)) {
        if (outbox) await outbox.write(encoder.frame(event));
        else collect(answer, event);
      }
    }
    if (!finished) throw new TandemError('backend_failed', 'The answer broke off. Try again.');
  } catch (thrown) {
    if (finished) return;
    const error = toTandemError(thrown);
    if (!outbox) {
      reply.headers(trailHeaders(trail));
      throw error;
    }
    if (!reply.raw.destroyed) outbox.end(encoder.errorFrame(error));
  }
}

function emptyAnswer(): CollectedAnswer {
  return { text: '', thinking: '', toolCalls: [] };
}

function isVisible(event: RouterEvent): event is Visible {
  return event.type === 'text' || event.type === 'thinking' || event.type === 'tool_calls';
}

function collect(answer: CollectedAnswer, event: Visible): void {
  if (event.type === 'text') answer.text += event.text;
  else if (event.type === 'thinking') answer.thinking += event.text;
  else answer.toolCalls.push(...event.calls);
}

/** From here on Fastify has no part in the answer: it would buffer or set headers of its own. */
function openStream(exchange: Exchange, trail: Trail): Outbox {
  const { reply, encoder } = exchange;
  reply.hijack();
  reply.raw.writeHead(200, {
    ...definedHeaders(reply),
    ...trailHeaders(trail),
    'Content-Type': encoder.streamType,
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  return new Outbox({ ...exchange, raw: reply.raw });
}

function definedHeaders(reply: FastifyReply): Record<string, string | number | string[]> {
  const headers: Record<string, string | number | string[]> = {};
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) headers[name] = value;
  return headers;
}
