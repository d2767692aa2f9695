import { createParser } from 'eventsource-parser';
import type { CompletionChunk, CompletionEnd } from '../../../../shared/completion';
import { TandemError } from '../../../../shared/errors';
import { frameTooLong, MAX_FRAME_BYTES } from '../stream-completion';
import type { SafeRequest } from './validate';

/** One call of mlx_lm.server's OpenAI dialect. */
export interface MlxCall {
  path: '/v1/chat/completions' | '/v1/completions';
  body: Record<string, unknown>;
}

/**
 * @param model path of the model's folder; always sent, because a call without it counts as another model and drains
 * the batch
 */
export function toMlxCall(request: SafeRequest, model: string): MlxCall {
  const { temperature, topP, topK, minP, seed, repeatPenalty, stop, maxTokens } = request.sampling;
  const body: Record<string, unknown> = {
    model,
    max_tokens: maxTokens,
    // Only streams can be cancelled.
    stream: true,
    stream_options: { include_usage: true },
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
    ...(minP === undefined ? {} : { min_p: minP }),
    ...(seed === undefined ? {} : { seed }),
    // 1 means no penalty but costs a pass over the logits.
    ...(repeatPenalty === undefined || repeatPenalty === 1 ? {} : { repetition_penalty: repeatPenalty }),
    ...(stop === undefined ? {} : { stop }),
    ...(request.think === null ? {} : { chat_template_kwargs: { enable_thinking: request.think } }),
  };
  return request.rawPrompt === null
    ? { path: '/v1/chat/completions', body: { ...body, messages: request.messages } }
    : { path: '/v1/completions', body: { ...body, prompt: request.rawPrompt } };
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
export class SseReader {
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
