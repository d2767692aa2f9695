import type { ChatResponse, GenerateResponse } from 'ollama/browser';
import type { CompletionChunk, CompletionEnd } from '../../../../shared/completion';
import { TandemError } from '../../../../shared/errors';
import { LineReader } from '../../../ports/line-reader';
import { type FrameReader, frameTooLong, MAX_FRAME_BYTES } from '../stream-completion';
import { serverFailure } from './failures';

/** The client's types lack the number of cached tokens, which Ollama 0.34 reports. */
interface OtherParts {
  error?: string;
  thinking?: string;
  prompt_eval_cached_count?: number;
}

interface Call {
  id?: unknown;
  function?: { name?: unknown; arguments?: unknown };
}

type Frame = Partial<ChatResponse> & Partial<GenerateResponse> & OtherParts;

/** Reads the lines of one completion, in pieces of any size. */
export class NdjsonReader implements FrameReader {
  readonly #lines = new LineReader(MAX_FRAME_BYTES, () => frameTooLong('Ollama'));
  #ended = false;
  #calls = 0;

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
    const frame = parse(line) as Frame;
    if (frame.error !== undefined) {
      throw serverFailure(String(frame.error), null);
    }
    const thinking = frame.message?.thinking ?? frame.thinking;
    if (thinking) yield { type: 'thinking', text: thinking };
    const text = frame.message?.content ?? frame.response;
    if (text) yield { type: 'text', text };
    for (const call of listOf(frame.message?.tool_calls)) yield this.#call(call);
    if (!frame.done) return;
    this.#ended = true;
    yield { type: 'end', end: toEnd(frame, this.#calls > 0) };
  }

  /** Numbered here, as older versions send no index, or 0 for each. */
  #call(call: unknown): CompletionChunk {
    const { id, function: called } = (call ?? {}) as Call;
    if (typeof called?.name !== 'string') throw unreadable();
    const named = { id: typeof id === 'string' ? id : undefined, name: called.name };
    return { type: 'tool_call', index: this.#calls++, ...named, arguments: argumentsOf(called.arguments) };
  }
}

/** Some servers with Ollama's API send them as JSON text. It is all of them, not a piece: each call is one frame. */
function argumentsOf(given: unknown): Record<string, unknown> {
  const value: unknown = typeof given === 'string' ? parse(given || '{}') : (given ?? {});
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable();
  return value as Record<string, unknown>;
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw unreadable();
  return value;
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

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause?: unknown): TandemError {
  return new TandemError('backend_failed', 'Ollama sent an answer that cannot be read; try again.', {
    cause,
  });
}
