import type { CompletionEnd, Output } from '../../shared/completion';
import type { TandemError } from '../../shared/errors';
import type { WholeCall } from './call-pieces';
import type { Trail } from './trail';

/** Output collected for a client that does not stream. */
export interface CollectedAnswer {
  text: string;
  thinking: string;
  toolCalls: WholeCall[];
}

/** Facts at the end of an answer. */
export interface Finish {
  requestId: string;
  end: CompletionEnd;
  trail: Trail;
  /** Ms from receiving the request to its end. */
  totalMs: number;
  /** Ms from the first visible output to the end. */
  visibleMs: number;
}

/** Writes one answer in one dialect; pure translation. */
export interface Encoder {
  /** Content type of a stream. */
  readonly streamType: string;
  /** Empty if the dialect sends this event later, as a part of a larger one. */
  frame(event: Output): string;
  last(finish: Finish): string;
  whole(answer: CollectedAnswer, finish: Finish): object;
  /** Ends a stream after its first byte was sent; must not look like a clean end. */
  errorFrame(error: TandemError): string;
}

/** Loading and unloading return one plain object, even if a stream was requested. */
export function isLoad(end: CompletionEnd): boolean {
  return end.reason === 'load' || end.reason === 'unload';
}
