import type { ChatRequest, ChatResponse, GenerateRequest, GenerateResponse } from 'ollama/browser';
import type { CompletionChunk, CompletionEnd, Sampling } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import { jsonBytes } from '../../ports/json-size';
import { LineReader } from '../../ports/line-reader';
import type { BackendRequest } from '../backend';
import { frameTooLong, MAX_FRAME_BYTES } from '../stream-completion';
import { serverFailure } from './failures';

export interface OllamaCall {
  path: '/api/chat' | '/api/generate';
  body: Record<string, unknown>;
  /** See `BackendRequest`. */
  hops?: string | undefined;
}

/** @throws TandemError `bad_request` for options that Ollama silently accepts but treats differently */
export function toOllamaCall(request: BackendRequest): OllamaCall {
  const options = toOptions(request.sampling, request.extraOptions ?? {});
  const common = {
    model: request.model,
    stream: true,
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(request.format === undefined ? {} : { format: request.format }),
    ...(request.think === undefined ? {} : { think: request.think }),
    ...(request.keepAlive === undefined ? {} : { keep_alive: request.keepAlive }),
  };
  if (request.rawPrompt !== undefined) {
    const body: Partial<GenerateRequest> = { prompt: request.rawPrompt, raw: true };
    return { path: '/api/generate', body: { ...common, ...body }, hops: request.hops };
  }
  const body: Pick<ChatRequest, 'messages' | 'tools'> = {
    messages: request.messages as ChatRequest['messages'],
    ...(request.tools === undefined ? {} : { tools: request.tools as ChatRequest['tools'] }),
  };
  return { path: '/api/chat', body: { ...common, ...body }, hops: request.hops };
}

/** Lowest number of characters per token, in languages with long and with short words. */
const CHARS_PER_TOKEN = 3;

/** Prompt tokens of a request, estimated from its length. */
export function promptTokensByLength({ rawPrompt, messages, tools }: BackendRequest): number {
  const text = rawPrompt?.length ?? messages.reduce((sum, { content }) => sum + content.length, 0);
  return Math.ceil((text + (tools ? jsonBytes(tools) : 0)) / CHARS_PER_TOKEN);
}

/** Never sets `num_ctx` itself: a value that differs from the loaded one reloads the model. */
function toOptions(sampling: Sampling, extra: Record<string, unknown>): Record<string, unknown> {
  const { temperature, topP, topK, minP, seed, repeatPenalty, maxTokens, stop } = sampling;
  const context = extra.num_ctx;
  if (context !== undefined && !(Number.isSafeInteger(context) && Number(context) >= 1)) {
    throw new TandemError('bad_request', '`num_ctx` must be a whole number of 1 or more.', {
      details: { field: 'num_ctx' },
    });
  }
  const named = {
    temperature,
    top_p: topP,
    top_k: topK,
    min_p: minP,
    seed,
    repeat_penalty: repeatPenalty,
    // 0 and below mean ten times the context to Ollama.
    num_predict: maxTokens !== undefined && maxTokens >= 1 ? maxTokens : undefined,
    stop,
  };
  const options = { ...extra };
  delete options.num_predict;
  for (const [name, value] of Object.entries(named)) if (value !== undefined) options[name] = value;
  return options;
}

/** The client's types lack the number of cached tokens, which Ollama 0.34 reports. */
interface OtherParts {
  error?: string;
  thinking?: string;
  prompt_eval_cached_count?: number;
}

type Frame = Partial<ChatResponse> & Partial<GenerateResponse> & OtherParts;

/** Reads the lines of one completion, in pieces of any size. */
export class NdjsonReader {
  readonly #lines = new LineReader(MAX_FRAME_BYTES, () => frameTooLong('Ollama'));
  #ended = false;
  #calls = false;

  /** Chunks completed by these bytes, in order. */
  *push(bytes: Uint8Array): Generator<CompletionChunk> {
    for (const line of this.#lines.push(bytes)) yield* this.#line(line);
  }

  /**
   * The stream has ended.
   * @throws TandemError `backend_failed` with the cause `incomplete` when no frame said `done`: Ollama's guard against
   * repetition, and sometimes a dead runner, ends the stream like a complete one
   */
  *finish(): Generator<CompletionChunk> {
    // A load-only request is answered by one object without a line end.
    yield* this.#line(this.#lines.rest());
    if (!this.#ended) {
      throw new TandemError('backend_failed', 'Ollama stopped in the middle of its answer; try again.', {
        details: { cause: 'incomplete' },
      });
    }
  }

  *#line(line: string): Generator<CompletionChunk> {
    if (line.trim() === '' || this.#ended) return;
    const frame = parse(line);
    if (frame.error !== undefined) {
      throw serverFailure(String(frame.error), null);
    }
    const thinking = frame.message?.thinking ?? frame.thinking;
    if (thinking) yield { type: 'thinking', text: thinking };
    const text = frame.message?.content ?? frame.response;
    if (text) yield { type: 'text', text };
    if (frame.message?.tool_calls?.length) {
      this.#calls = true;
      yield { type: 'tool_calls', calls: frame.message.tool_calls };
    }
    if (!frame.done) return;
    this.#ended = true;
    yield { type: 'end', end: toEnd(frame, this.#calls) };
  }
}

function toEnd(frame: Frame, calls: boolean): CompletionEnd {
  return {
    reason: endReason(frame.done_reason, calls),
    promptTokens: frame.prompt_eval_count ?? 0,
    ...(frame.prompt_eval_cached_count === undefined ? {} : { cachedTokens: frame.prompt_eval_cached_count }),
    completionTokens: frame.eval_count ?? 0,
    ...milliseconds('loadMs', frame.load_duration),
    ...milliseconds('promptMs', frame.prompt_eval_duration),
    ...milliseconds('evalMs', frame.eval_duration),
  };
}

function endReason(reason: string | undefined, calls: boolean): CompletionEnd['reason'] {
  if (reason === 'length' || reason === 'load' || reason === 'unload') return reason;
  return calls ? 'tool_calls' : 'stop';
}

/** Ollama reports nanoseconds. */
function milliseconds(key: string, nanoseconds: number | undefined): Record<string, number> {
  return nanoseconds === undefined ? {} : { [key]: nanoseconds / 1e6 };
}

function parse(line: string): Frame {
  try {
    return JSON.parse(line) as Frame;
  } catch (cause) {
    throw new TandemError('backend_failed', 'Ollama sent an answer that cannot be read; try again.', {
      cause,
    });
  }
}
