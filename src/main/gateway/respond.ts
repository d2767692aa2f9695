import type { FastifyReply } from 'fastify';
import type { CompletionRequest, Output } from '../../shared/completion';
import { TandemError, toTandemError } from '../../shared/errors';
import type { DispatchEvent, Dispatcher } from '../dispatch/types';
import type { Clock } from '../ports/clock';
import { CallPieces } from './call-pieces';
import { type CollectedAnswer, type Encoder, type Finish, isLoad } from './encoder';
import { trailHeaders } from './headers';
import { Outbox } from './outbox';
import { emptyTrail, follow, type Trail } from './trail';

export interface Exchange {
  request: CompletionRequest;
  /** The client's id for the request. */
  requestId: string;
  stream: boolean;
  encoder: Encoder;
  dispatcher: Dispatcher;
  reply: FastifyReply;
  clock: Clock;
  /** Aborts when the client leaves or the listener closes. */
  signal: AbortSignal;
  /** Ends the exchange from this side (for a client that stopped reading). */
  abort: (reason: TandemError) => void;
  /** Are requests waiting in the queue? */
  othersWait: () => boolean;
}

/**
 * Sends one request to the dispatcher and its answer to the client. A failure before the first byte is thrown, so that
 * it gets its true HTTP status; after that, the stream ends with the dialect's error frame. Each event is written at
 * once; the outbox limits how far the server may run ahead of the client.
 */
export async function respond(exchange: Exchange): Promise<void> {
  const { clock, reply, encoder } = exchange;
  const trail = emptyTrail();
  let outbox: Outbox | null = null;
  let answer = new Collected();
  const receivedAt = clock.now();
  let visibleAt: number | null = null;
  let finished = false;
  try {
    for await (const event of exchange.dispatcher.dispatch(exchange.request, exchange.signal)) {
      follow(trail, event);
      if (event.type === 'attempt') {
        // Drops the collected output of a failed server: the next one sends the whole answer.
        answer = new Collected();
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
        // Loading and unloading return one plain object, even if a stream was requested.
        if (exchange.stream && !isLoad(finish.end)) outbox ??= openStream(exchange, trail);
        if (outbox) outbox.end(encoder.last(finish));
        else reply.headers(trailHeaders(trail)).send(encoder.whole(answer.whole(), finish));
        // The loop is not left early: that would cancel a request that is about to be counted as done.
        finished = true;
      } else if (isOutput(event)) {
        const frame = outbox ? encoder.frame(event) : '';
        if (!outbox) answer.add(event);
        else if (frame !== '') await outbox.write(frame);
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

function isOutput(event: DispatchEvent): event is Output {
  return event.type === 'text' || event.type === 'thinking' || event.type === 'tool_call';
}

/** The output of one attempt, for a client that does not stream. */
class Collected {
  readonly #answer: CollectedAnswer = { text: '', thinking: '', toolCalls: [] };
  readonly #pieces = new CallPieces();

  add(event: Output): void {
    if (event.type === 'text') this.#answer.text += event.text;
    else if (event.type === 'thinking') this.#answer.thinking += event.text;
    else this.#answer.toolCalls.push(...this.#pieces.add(event));
  }

  /** See `CallPieces.rest`. */
  whole(): CollectedAnswer {
    const { toolCalls, ...texts } = this.#answer;
    return { ...texts, toolCalls: [...toolCalls, ...this.#pieces.rest()] };
  }
}

/** From here on Fastify must not handle the answer: it would buffer it or set its own headers. */
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
