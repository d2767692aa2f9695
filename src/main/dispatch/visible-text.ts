import type { CompletionChunk, CompletionEnd } from '../../shared/completion';

/** Longer replies are never echoes; at most this much text is held back. */
const MAX_ECHO = 500;
/** A shorter reply that equals the prompt is genuine ("hello"). */
const MIN_EQUAL = 20;
/** A reply that was cut off inside the prompt counts as an echo from this length on. */
const MIN_CUT = 50;

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

/**
 * Does this reply only return the prompt, in full or up to where its length limit cut it off? A passage of the prompt
 * that ended normally is an answer; so is a reply that adds to the prompt. Lengths in characters of the trimmed texts.
 */
export function isEcho(reply: string, prompt: string, ended: CompletionEnd['reason']): boolean {
  const said = reply.trim();
  const asked = prompt.trim();
  if (said.length > MAX_ECHO) return false;
  if (said === asked) return said.length >= MIN_EQUAL;
  return ended === 'length' && said.length >= MIN_CUT && asked.startsWith(said);
}

export type EchoStep =
  | { kind: 'held' }
  /** All text held so far plus the new piece; later text passes unheld. */
  | { kind: 'released'; text: string };

/**
 * Watches one streamed reply. Text is held only while the reply may still be an echo; the first character that rules it
 * out releases everything, and later text costs nothing.
 */
export class EchoGuard {
  readonly #prompt: string;
  #held = '';
  #open: boolean;

  constructor(prompt: string) {
    this.#prompt = prompt.trim();
    this.#open = this.#prompt.length < MIN_EQUAL;
  }

  feed(text: string): EchoStep {
    if (this.#open) return { kind: 'released', text };
    this.#held += text;
    if (this.#held.length <= MAX_ECHO && this.#prompt.startsWith(this.#held.trim())) return { kind: 'held' };
    return { kind: 'released', text: this.release() };
  }

  /** Returns the held text; later text passes unheld. */
  release(): string {
    const text = this.#held;
    this.#held = '';
    this.#open = true;
    return text;
  }

  /** Is the complete reply an echo? */
  isEcho(ended: CompletionEnd['reason']): boolean {
    return !this.#open && isEcho(this.#held, this.#prompt, ended);
  }
}
