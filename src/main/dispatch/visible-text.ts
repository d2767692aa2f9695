import type { CompletionChunk, CompletionEnd } from '../../shared/completion';
import { EchoGuard } from './echo-guard';

type Passed = Exclude<CompletionChunk, { type: 'end' }>;

/** Decides which chunks of a reply may be shown already. Holds nothing when echoes are allowed. */
export class VisibleText {
  readonly #guard: EchoGuard;
  readonly #echoAllowed: boolean;

  constructor(prompt: string, echoAllowed: boolean) {
    this.#guard = new EchoGuard(prompt);
    this.#echoAllowed = echoAllowed;
  }

  /** The events to emit for a chunk now. */
  eventsFor(chunk: CompletionChunk): Passed[] {
    switch (chunk.type) {
      case 'text': {
        const step = this.#guard.feed(chunk.text);
        if (this.#echoAllowed) return [chunk];
        return step.kind === 'released' ? [{ type: 'text', text: step.text }] : [];
      }
      case 'thinking':
      case 'tool_call': {
        // A reply with tool calls does not only return the prompt, whatever its text.
        const held = this.#guard.release();
        return held && !this.#echoAllowed ? [{ type: 'text', text: held }, chunk] : [chunk];
      }
      case 'prefill':
        return [chunk];
      case 'end':
        return [];
    }
  }

  /** Is the complete reply an echo? */
  isEcho(ended: CompletionEnd['reason']): boolean {
    return this.#guard.isEcho(ended);
  }

  /** The held text of a complete reply that is not an echo. */
  rest(): string {
    return this.#echoAllowed ? '' : this.#guard.release();
  }
}
