import type { CompletionEnd } from '../../shared/domain';

/** Longer replies are never echoes, and no more than this is ever held back. */
const MAX_ECHO = 500;
/** Below this length an equal reply is an honest one ("hello"). */
const MIN_EQUAL = 20;
/** A reply that was cut off inside the prompt is an echo from this length on. */
const MIN_CUT = 50;

/**
 * Does this reply merely return the prompt, in full or up to where its length limit cut it off? A passage of the
 * prompt that ends by itself is an answer, and so is a reply that adds to it. Lengths in characters of the trimmed texts.
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
  /** Everything held so far and the new piece; from here on all text passes. */
  | { kind: 'released'; text: string };

/**
 * Watches one streamed reply. Text is held only while the reply may still turn out to be an echo; the first character
 * that rules it out releases everything at once and costs nothing from then on.
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

  /** Gives out what is held and lets everything pass from now on. */
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
