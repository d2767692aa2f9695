/** Longer replies are never echoes, and no more than this is ever held back. */
const MAX_ECHO = 500;
/** Below this length an equal reply is an honest one ("hello"). */
const MIN_EQUAL = 20;
/** A reply below `MAX_PARTIAL` is an echo when it and the prompt share a beginning of at least `MIN_PARTIAL`. */
const MAX_PARTIAL = 200;
const MIN_PARTIAL = 50;

/** Does this complete reply merely return the prompt? Lengths in characters of the trimmed texts. */
export function isEcho(reply: string, prompt: string): boolean {
  const said = reply.trim();
  const asked = prompt.trim();
  if (said.length > MAX_ECHO) return false;
  if (said === asked) return said.length >= MIN_EQUAL;
  if (said.length >= MAX_PARTIAL || Math.min(said.length, asked.length) < MIN_PARTIAL) return false;
  return said.startsWith(asked) || asked.startsWith(said);
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
    if (this.#held.length <= MAX_ECHO && this.#mayBecomeEcho()) return { kind: 'held' };
    return { kind: 'released', text: this.release() };
  }

  /** Gives out what is held and lets everything pass from now on. */
  release(): string {
    const text = this.#held;
    this.#held = '';
    this.#open = true;
    return text;
  }

  /** To be asked when the reply is complete: is what is held an echo? */
  get isEcho(): boolean {
    return !this.#open && isEcho(this.#held, this.#prompt);
  }

  #mayBecomeEcho(): boolean {
    const said = this.#held.trim();
    if (this.#prompt.startsWith(said)) return true;
    return said.startsWith(this.#prompt) && this.#prompt.length >= MIN_PARTIAL && said.length < MAX_PARTIAL;
  }
}
