import type { CompletionChunk } from '../../shared/completion';
import { TandemError } from '../../shared/errors';
import type { Post, PostAnswer, Poster } from '../ports/fetcher';
import { jsonBody } from '../ports/json-body';
import { jsonBytes } from '../ports/json-size';
import { nextTurn } from '../ports/turns';

/** Most bytes of one frame. The largest are tool calls that contain a file's text. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;
/** Most bytes of a whole answer on the wire: a million tokens in frames of 400 bytes. */
const MAX_ANSWER_BYTES = 400 * 1024 * 1024;
/** Most characters of its text, thinking and calls: twice those of a million tokens. */
const MAX_ANSWER_CHARS = 8 * 1024 * 1024;

/** @param server its name, for the message */
export function frameTooLong(server: string): TandemError {
  return endless(`${server} sent a piece of over ${MAX_FRAME_BYTES / 1024 / 1024} MB`);
}

function endless(what: string): TandemError {
  return new TandemError('backend_failed', `${what}; its connection was closed. Try again.`, {
    details: { cause: 'endless' },
  });
}

/** Reads the frames of one completion, in pieces of any size. */
export interface FrameReader {
  push(bytes: Uint8Array): Iterable<CompletionChunk>;
  /** The stream has ended. Throws if it was cut. */
  finish(): Iterable<CompletionChunk>;
}

export interface CompletionCall extends Omit<Post, 'body'> {
  url: string;
  /** Sent as JSON. */
  body: Record<string, unknown>;
  reader: FrameReader;
  /** The error for a status other than 2xx. */
  refusal(answer: PostAnswer): Promise<Error>;
  /** Converts anything thrown into one of our errors. */
  asFailure(error: unknown): Error;
}

/**
 * Streams one completion. Aborting closes the connection at once; so does leaving the iteration before the `end` chunk.
 * @throws the errors of `refusal`, `asFailure` and the reader; `backend_failed` for an answer without an end
 */
export async function* streamCompletion(post: Poster, call: CompletionCall): AsyncGenerator<CompletionChunk> {
  let answer: PostAnswer | null = null;
  let complete = false;
  let bytesRead = 0;
  let charsRead = 0;
  try {
    const turn = () => nextTurn().then(() => call.signal.throwIfAborted());
    // Not in a variable, which would keep a large body until the answer has ended.
    answer = await post(call.url, { ...call, body: await jsonBody(call.body, turn) });
    if (answer.status < 200 || answer.status > 299) throw await call.refusal(answer);
    for await (const bytes of answer.bytes()) {
      bytesRead += bytes.length;
      if (bytesRead > MAX_ANSWER_BYTES) throw endless('The server sent an answer that does not end');
      for (const chunk of call.reader.push(bytes)) {
        complete ||= chunk.type === 'end';
        charsRead += charsOf(chunk);
        if (charsRead > MAX_ANSWER_CHARS) throw endless('The server sent an answer that does not end');
        yield chunk;
      }
    }
    yield* call.reader.finish();
  } catch (error) {
    throw call.asFailure(error);
  } finally {
    answer?.close(complete);
  }
}

function charsOf(chunk: CompletionChunk): number {
  if (chunk.type === 'text' || chunk.type === 'thinking') return chunk.text.length;
  return chunk.type === 'tool_call' ? jsonBytes(chunk) : 0;
}
