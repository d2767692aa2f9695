import type { Clock } from '../ports/clock';

/** Text is pushed to the UI at most this often, ms: every second frame of a 60 Hz screen. */
const PUSH_MS = 33;

/** Collects small pieces of text: sends the first at once, the rest at most every `PUSH_MS`. */
export class TextFlusher {
  readonly #clock: Clock;
  readonly #out: (text: string) => void;
  #pending = '';
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, out: (text: string) => void) {
    this.#clock = clock;
    this.#out = out;
  }

  add(text: string): void {
    this.#pending += text;
    if (this.#cancel) return;
    this.#send();
    this.#cancel = this.#clock.after(PUSH_MS, () => this.flush());
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#send();
  }

  #send(): void {
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    this.#out(text);
  }
}
