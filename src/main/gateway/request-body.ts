import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TandemError } from '../../shared/errors';
import { type LoopTurn, nextTurn } from '../ports/turns';
import type { BodyBudget, HeldBody } from './body-budget';
import { BodyParts } from './body-parts';
import { limitedClientOf } from './headers';
import { JsonMeter } from './json-meter';
import { parseInSlices } from './json-slices';

/** Limit in bytes of a request body; a larger one gets 413. */
export const BODY_LIMIT = 32 * 1024 * 1024;
/** A body above either limit is read in slices, with turns between them; a smaller one takes a few milliseconds. */
export interface LargeBody {
  bytes: number;
  values: number;
}
const LARGE: LargeBody = { bytes: 256 * 1024, values: 5_000 };

declare module 'fastify' {
  interface FastifyRequest {
    heldBody: HeldBody;
    /** Awaited between slices of work for this request; rejects when its client has left. */
    turn: LoopTurn;
  }
}

/**
 * Reads every body as JSON, whatever its content type: Ollama's clients often omit it or send a wrong one. Counts a
 * body while it arrives, in bytes (413, or 503 if `budget` has no room) and in values (400). Its bytes stay counted
 * until its request has been answered.
 */
export function readBodies(app: FastifyInstance, budget: BodyBudget, large = LARGE): void {
  // Set for each request below.
  app.decorateRequest('heldBody', null as unknown as HeldBody);
  app.decorateRequest('turn', nextTurn);
  app.addHook('onRequest', (request, reply, done) => {
    const held = budget.hold(limitedClientOf(request.socket.remoteAddress));
    request.heldBody = held;
    request.turn = async () => {
      await nextTurn();
      if (reply.raw.destroyed) throw clientLeft();
    };
    reply.raw.once('close', held.release);
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const body = await receive(payload, request.heldBody);
    if (body.bytes === 0) throw new TandemError('bad_json', 'missing request body');
    const isLarge = body.bytes > large.bytes || body.values > large.values;
    try {
      return isLarge
        ? await parseInSlices(body.parts, request.turn)
        : JSON.parse(Buffer.concat(body.parts).toString());
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new TandemError('bad_json', 'the request body is not valid JSON; send one JSON object');
    }
  });
}

interface Received {
  parts: Buffer[];
  bytes: number;
  values: number;
}

/** Rejects at the first byte above a limit; the rest stays in the stream. */
function receive(payload: IncomingMessage, held: HeldBody): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  const meter = new JsonMeter();
  const parts = new BodyParts();
  // The announced length is reserved at once: otherwise bodies that arrive together would use up each other's room.
  const announced = Number(payload.headers['content-length'] ?? 0);
  let counted = 0;
  const take = (length: number) => {
    counted += length;
    if (counted > BODY_LIMIT)
      throw new TandemError('body_too_large', 'the request body is over 32 MB; send less');
    held.add(length);
  };
  const onData = (chunk: Buffer) => {
    try {
      if (announced === 0) take(chunk.length);
      meter.feed(chunk);
      parts.add(chunk);
    } catch (error) {
      fail(error);
    }
  };
  const onEnd = () => {
    leave();
    resolve({ parts: parts.take(), bytes: parts.bytes, values: meter.values });
  };
  const onClose = () => fail(clientLeft());
  const fail = (error: unknown) => {
    leave();
    held.release();
    parts.take();
    reject(error);
  };
  const leave = () => {
    payload.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose);
    payload.pause();
  };
  payload.on('data', onData).once('end', onEnd).once('error', fail).once('close', onClose);
  try {
    take(announced);
  } catch (error) {
    fail(error);
  }
  return promise;
}

function clientLeft(): TandemError {
  return new TandemError('cancelled', 'The client left.');
}
