import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TandemError } from '../../shared/errors';
import type { BodyBudget, HeldBody } from './body-budget';
import { limitedClientOf } from './headers';
import { JsonMeter } from './json-meter';

/** Bytes of a request body; more gets 413. */
export const BODY_LIMIT = 32 * 1024 * 1024;
/** A text of this length is parsed in a turn of the event loop of its own, between reading and answering it. */
const LONG_TEXT = 1024 * 1024;

declare module 'fastify' {
  interface FastifyRequest {
    heldBody: HeldBody;
  }
}

/**
 * Reads every body as JSON: Ollama's clients often leave the content type out or wrong, so it is not looked at. A body is
 * counted while it comes, in bytes (413, or 503 when `budget` has no room) and in values (400), and stays counted until
 * its request has been answered.
 */
export function readBodies(app: FastifyInstance, budget: BodyBudget): void {
  // Set for each request below.
  app.decorateRequest('heldBody', null as unknown as HeldBody);
  app.addHook('onRequest', (request, reply, done) => {
    const held = budget.hold(limitedClientOf(request.socket.remoteAddress));
    request.heldBody = held;
    reply.raw.once('close', held.release);
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) =>
    parse(await readText(payload, request.heldBody)),
  );
}

async function parse(text: string): Promise<unknown> {
  if (text === '') throw new TandemError('bad_json', 'missing request body');
  if (text.length <= LONG_TEXT) return parseJson(text);
  await nextTurn();
  const value = parseJson(text);
  await nextTurn();
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TandemError('bad_json', 'the request body is not valid JSON; send one JSON object');
  }
}

const nextTurn = () => new Promise(setImmediate);

/** Rejects at the first byte too many; the rest is left in the stream. */
function readText(payload: IncomingMessage, held: HeldBody): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const decoder = new StringDecoder('utf8');
  const meter = new JsonMeter();
  const parts: string[] = [];
  // The announced length is reserved at once: else bodies that arrive together would push each other out.
  const announced = Number(payload.headers['content-length'] ?? 0);
  let bytes = 0;
  const take = (length: number) => {
    bytes += length;
    if (bytes > BODY_LIMIT)
      throw new TandemError('body_too_large', 'the request body is over 32 MB; send less');
    held.add(length);
  };
  const onData = (chunk: Buffer) => {
    try {
      if (announced === 0) take(chunk.length);
      meter.feed(chunk);
      parts.push(decoder.write(chunk));
    } catch (error) {
      fail(error);
    }
  };
  const onEnd = () => {
    leave();
    resolve(parts.join('') + decoder.end());
  };
  const onClose = () => fail(new TandemError('cancelled', 'The client left.'));
  const fail = (error: unknown) => {
    leave();
    held.release();
    parts.length = 0;
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
