import { createParser } from 'eventsource-parser';
import type { CompletionChunk, CompletionEnd } from '../../../../shared/completion';
import { downCodeOf, TandemError } from '../../../../shared/errors';
import type { PostAnswer, Poster } from '../../../ports/fetcher';
import { connectionFailure, type ServerName } from '../connection';
import { type FrameReader, frameTooLong, MAX_FRAME_BYTES, streamCompletion } from '../stream-completion';
import type { MlxCall } from './validate';

/**
 * Streams one completion. Aborting closes the connection at once; so does leaving the iteration early.
 * @throws TandemError `bad_request`, `backend_failed`, `cancelled`, or the code of `downCodeOf`
 */
export function completeOpenAi(
  post: Poster,
  server: ServerName,
  { url, headers, call }: { url: string; headers: Record<string, string>; call: MlxCall },
  signal: AbortSignal,
): AsyncGenerator<CompletionChunk> {
  return streamCompletion(post, {
    url: url + call.path,
    headers,
    body: call.body,
    signal,
    reader: new SseReader(server.title),
    refusal: (answer) => refusal(answer, server),
    asFailure: (error) => connectionFailure(error, signal, server),
  });
}

/** Error of a status. `mlx_lm.server` sends 400 for a parameter, with its name, and 404 for all other failures. */
async function refusal(answer: PostAnswer, { id, title }: ServerName): Promise<TandemError> {
  const body = (await answer.json().catch(() => null)) as { error?: unknown } | null;
  const said = (body?.error as { message?: unknown } | null)?.message ?? body?.error;
  const text = typeof said === 'string' ? said.slice(0, 300) : `status ${answer.status}`;
  if (text === 'generation thread died')
    return new TandemError(
      downCodeOf(id),
      `${title} has stopped generating and is being restarted; try again shortly.`,
    );
  const isOurs = answer.status === 400 || answer.status === 422;
  if (isOurs) return new TandemError('bad_request', `${title} refused the request: ${text}`);
  return new TandemError('backend_failed', `${title} could not answer: ${text}`, {
    ...(answer.status === 429 || answer.status === 503 ? { retryAfterS: 5 } : {}),
  });
}

interface Frame {
  choices?: {
    finish_reason?: string | null;
    text?: string;
    delta?: { content?: string | null; reasoning?: string | null };
  }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number };
}

/** Reads the server-sent events of one completion, in pieces of any size. */
export class SseReader implements FrameReader {
  readonly #server: string;
  readonly #decoder = new TextDecoder();
  /** Chunks that the parser found in the bytes of this call. */
  readonly #found: CompletionChunk[] = [];
  readonly #parser = createParser({
    maxBufferSize: MAX_FRAME_BYTES,
    onComment: (comment) => this.#comment(comment),
    onEvent: ({ data }) => this.#event(data),
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw frameTooLong(this.#server);
    },
  });
  #reason: CompletionEnd['reason'] | null = null;
  #usage = { promptTokens: 0, completionTokens: 0 };
  #ended = false;

  /** @param server its name, for messages */
  constructor(server: string) {
    this.#server = server;
  }

  /** Chunks completed by these bytes, in order; chunks before a failure are yielded first. */
  *push(bytes: Uint8Array): Generator<CompletionChunk> {
    let failure: unknown = null;
    try {
      this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    } catch (error) {
      failure = error;
    }
    yield* this.#found.splice(0);
    if (failure !== null) throw failure;
  }

  /**
   * The stream has ended.
   * @throws TandemError `backend_failed` when it was cut: the server sends no error frame, it just stops
   */
  finish(): CompletionChunk[] {
    if (!this.#ended) this.#end();
    return this.#found;
  }

  #comment(text: string): void {
    const progress = /^keepalive (\d+)\/(\d+)/.exec(text);
    if (!progress || this.#ended) return;
    this.#found.push({ type: 'prefill', done: Number(progress[1]), total: Number(progress[2]) });
  }

  #event(data: string): void {
    if (this.#ended) return;
    if (data === '[DONE]') this.#end();
    else this.#frame(this.#parse(data));
  }

  #frame(frame: Frame): void {
    if (frame.usage) {
      this.#usage = {
        promptTokens: frame.usage.prompt_tokens ?? 0,
        completionTokens: frame.usage.completion_tokens ?? 0,
      };
    }
    const choice = frame.choices?.[0];
    if (!choice) return;
    if (choice.delta?.reasoning) this.#found.push({ type: 'thinking', text: choice.delta.reasoning });
    const text = choice.delta?.content ?? choice.text;
    if (text) this.#found.push({ type: 'text', text });
    // Usage comes in a frame of its own after the one with the finish reason.
    if (choice.finish_reason) this.#reason = choice.finish_reason === 'length' ? 'length' : 'stop';
  }

  #parse(json: string): Frame {
    try {
      return JSON.parse(json) as Frame;
    } catch (cause) {
      const text = `${this.#server} sent an answer that cannot be read; try again.`;
      throw new TandemError('backend_failed', text, { cause });
    }
  }

  #end(): void {
    if (this.#reason === null) {
      throw new TandemError(
        'backend_failed',
        `${this.#server} stopped in the middle of its answer; try again.`,
      );
    }
    this.#ended = true;
    this.#found.push({ type: 'end', end: { reason: this.#reason, ...this.#usage } });
  }
}
