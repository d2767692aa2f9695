import type { CompletionChunk } from '../../shared/domain';
import type { Post, PostAnswer, Poster } from '../ports/fetcher';

/** Reads the frames of one completion, in pieces of any size. */
export interface FrameReader {
  push(bytes: Uint8Array): Iterable<CompletionChunk>;
  /** The stream is over. Throws when it was cut. */
  finish(): Iterable<CompletionChunk>;
}

export interface CompletionCall extends Post {
  url: string;
  reader: FrameReader;
  /** The failure that a status other than 2xx stands for. */
  refusal(answer: PostAnswer): Promise<Error>;
  /** Makes whatever was thrown one of our errors. */
  asFailure(error: unknown): Error;
}

/**
 * Streams one completion. Aborting closes the connection at once; so does leaving the iteration before the `end` chunk.
 * @throws what `refusal`, `asFailure` and the reader make of it
 */
export async function* streamCompletion(post: Poster, call: CompletionCall): AsyncGenerator<CompletionChunk> {
  let answer: PostAnswer | null = null;
  let complete = false;
  try {
    answer = await post(call.url, call);
    if (answer.status < 200 || answer.status > 299) throw await call.refusal(answer);
    for await (const bytes of answer.bytes()) {
      for (const chunk of call.reader.push(bytes)) {
        complete ||= chunk.type === 'end';
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
