import type { CompletionEnd } from '../../shared/completion';

/** Longer replies are never echoes; at most this much text is held back. */
const MAX_ECHO = 500;
/** A shorter reply that equals the prompt is genuine ("hello"). */
const MIN_EQUAL = 20;
/** A reply that was cut off inside the prompt counts as an echo from this length on. */
const MIN_CUT = 50;

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
