import type { CompletionChunk, CompletionEnd } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { SafeRequest } from './validate';

/** One call of mlx_lm.server's OpenAI dialect. */
export interface HttpCall {
  path: '/v1/chat/completions' | '/v1/completions';
  body: Record<string, unknown>;
}

/**
 * @param model path of the model's folder; always sent, because leaving it out counts as another model and drains
 *   the batch
 */
export function toCall(request: SafeRequest, model: string): HttpCall {
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
    // 1 is no penalty but costs a pass over the logits.
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
  readonly #decoder = new TextDecoder();
  #rest = '';
  #reason: CompletionEnd['reason'] | null = null;
  #usage = { promptTokens: 0, completionTokens: 0 };
  #ended = false;

  /** Chunks that these bytes complete, in order. */
  *push(bytes: Uint8Array): Generator<CompletionChunk> {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) yield* this.#line(line);
  }

  /**
   * The stream is over.
   * @throws TandemError `backend_failed` when it was cut: the server sends no error frame, it just stops
   */
  *finish(): Generator<CompletionChunk> {
    if (!this.#ended) yield* this.#end();
  }

  *#line(line: string): Generator<CompletionChunk> {
    if (this.#ended) return;
    const progress = /^: keepalive (\d+)\/(\d+)/.exec(line);
    if (progress) {
      yield { type: 'prefill', done: Number(progress[1]), total: Number(progress[2]) };
    } else if (line.startsWith('data: [DONE]')) {
      yield* this.#end();
    } else if (line.startsWith('data: ')) {
      yield* this.#frame(parse(line.slice(6)));
    }
  }

  *#frame(frame: Frame): Generator<CompletionChunk> {
    if (frame.usage) {
      this.#usage = {
        promptTokens: frame.usage.prompt_tokens ?? 0,
        completionTokens: frame.usage.completion_tokens ?? 0,
      };
    }
    const choice = frame.choices?.[0];
    if (!choice) return;
    if (choice.delta?.reasoning) yield { type: 'thinking', text: choice.delta.reasoning };
    const text = choice.delta?.content ?? choice.text;
    if (text) yield { type: 'text', text };
    // Usage comes in a frame of its own after the one with the reason.
    if (choice.finish_reason) this.#reason = choice.finish_reason === 'length' ? 'length' : 'stop';
  }

  *#end(): Generator<CompletionChunk> {
    if (this.#reason === null) {
      throw new TandemError('backend_failed', 'MLX stopped in the middle of its answer; try again.');
    }
    this.#ended = true;
    yield { type: 'end', end: { reason: this.#reason, ...this.#usage } };
  }
}

function parse(json: string): Frame {
  try {
    return JSON.parse(json) as Frame;
  } catch (cause) {
    throw new TandemError('backend_failed', 'MLX sent an answer that cannot be read; try again.', { cause });
  }
}
