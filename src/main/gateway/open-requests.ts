import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TandemError } from '../../shared/errors';

export interface OpenRequest {
  /** Unique among the requests in flight here: the client's id, with a suffix if it is already in use. */
  id: string;
  /** Aborts when the client closes the connection, or when the listener closes. */
  signal: AbortSignal;
  abort: (reason: TandemError) => void;
  close: () => void;
}

/** The requests that one listener is answering. */
export class OpenRequests {
  readonly #controllers = new Map<string, AbortController>();

  open(request: FastifyRequest, reply: FastifyReply): OpenRequest {
    const controller = new AbortController();
    const wished = request.tandemId;
    const id = this.#controllers.has(wished) ? `${wished}.${randomBytes(4).toString('hex')}` : wished;
    this.#controllers.set(id, controller);
    const onClose = () => {
      if (!reply.raw.writableEnded) controller.abort(new TandemError('cancelled', 'The client left.'));
    };
    reply.raw.once('close', onClose);
    if (reply.raw.destroyed) onClose();
    return {
      id,
      signal: controller.signal,
      abort: (reason) => controller.abort(reason),
      close: () => {
        reply.raw.off('close', onClose);
        this.#controllers.delete(id);
      },
    };
  }

  /** Aborts all of them; each stream gets its error frame. */
  abortAll(reason: TandemError): void {
    for (const controller of this.#controllers.values()) controller.abort(reason);
  }
}
