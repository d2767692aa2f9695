import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { CompletionRequest } from '../../shared/completion';
import { TandemError, toTandemError } from '../../shared/errors';
import type { LoopTurn } from '../ports/turns';
import { type OllamaShape, ollamaEncoder } from './dialects/ollama';
import { psBody, showBody, tagsBody } from './dialects/ollama-listings';
import { type ModelRules, type OllamaRequest, readChat, readGenerate } from './dialects/ollama-request';
import { clientOf, hopsOf, isRateLimited, isStrict, priorityOf } from './headers';
import type { OpenRequests } from './open-requests';
import type { GatewayOptions } from './options';
import { respond } from './respond';

const showRequest = z.object({ model: z.string().nullish(), name: z.string().nullish() });

/** Ollama's dialect: answers, listings, and the two paths by which its clients recognise a server. */
export function ollamaRoutes(app: FastifyInstance, options: GatewayOptions, inFlight: OpenRequests): void {
  const { facts, surface, clock } = options;
  /** Hides relayed models from another Tandem: two that use each other would list them in a loop. */
  const models = ({ headers }: FastifyRequest) => {
    const isRelayed = hopsOf(headers) !== undefined;
    const listed = facts.instances().filter(({ role }) => surface.lists === null || surface.lists === role);
    return facts
      .models()
      .filter(({ backend }) => listed.some(({ id }) => id === backend))
      .filter(({ relayed }) => !(isRelayed && relayed));
  };
  const wall = () => clock.wall();

  app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send('Ollama is running'));
  app.get('/api/version', () => ({ version: facts.version }));
  app.get('/api/tags', (request) => tagsBody(models(request), wall()));
  app.get('/api/ps', (request) => psBody(facts.backends(), models(request)));
  app.post('/api/show', (request) => {
    const body = showRequest.safeParse(request.body);
    const asked = body.success ? (body.data.model ?? body.data.name ?? '').trim() : '';
    if (asked === '') throw new TandemError('bad_request', 'model is required');
    return showBody(asked, (name) => facts.named(name), facts.instances(), wall());
  });
  app.post('/api/chat', (request, reply) => answer('chat', readChat, request, reply));
  app.post('/api/generate', (request, reply) => answer('generate', readGenerate, request, reply));

  async function answer(
    shape: OllamaShape,
    read: (body: unknown, rules: ModelRules, turn: LoopTurn) => OllamaRequest | Promise<OllamaRequest>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const backends = facts.instances();
    const firstRole = surface.firstRole(options.settings());
    const rules = {
      backends,
      named: (name: string) => facts.named(name),
      modelOptional: surface.modelOptional,
      defaultCategory: surface.defaultCategory(options.settings()),
      firstBackend: backends.find(({ role }) => role === firstRole)?.id,
    };
    const parsed = await read(request.body, rules, request.turn);
    // The parsed request stays; a second copy of a large body would slow down every garbage collection.
    request.body = null;
    const hops = hopsOf(request.headers);
    const entry = inFlight.open(request, reply);
    const completion: CompletionRequest = {
      ...parsed.request,
      id: entry.id,
      priority: priorityOf(request.headers),
      client: clientOf(request.socket.remoteAddress, request.headers),
      rateLimited: isRateLimited(request.socket.remoteAddress, surface.origin),
      strict: isStrict(request.headers),
      whole: !parsed.stream,
      ...(hops === undefined ? {} : { hops }),
      origin: surface.origin,
    };
    try {
      await respond({
        request: completion,
        requestId: request.tandemId,
        stream: parsed.stream,
        encoder: ollamaEncoder(shape, parsed.asked, wall),
        dispatcher: options.dispatcher,
        reply,
        clock,
        signal: entry.signal,
        abort: entry.abort,
        othersWait: () => facts.queue().depth > 0,
      });
    } catch (thrown) {
      throw inOllamasWords(toTandemError(thrown), parsed.asked);
    } finally {
      entry.close();
    }
    return reply;
  }
}

/** Clients recognise a missing model by this sentence. */
function inOllamasWords(error: TandemError, asked: string): TandemError {
  if (error.code !== 'model_not_found') return error;
  return new TandemError(error.code, `model '${asked}' not found`, { cause: error });
}
