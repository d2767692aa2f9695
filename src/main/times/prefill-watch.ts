import type { CompletionChunk } from '../../shared/domain';
import type { PrefillTime } from './measured-times';

/**
 * Times the prefill from the progress that a backend reports: from the first report, which comes after the load and the
 * first chunk, to the last one.
 */
export class PrefillWatch {
  #first: { tokens: number; at: number } | null = null;
  #last: { tokens: number; at: number } | null = null;

  /** `now` in ms of the monotonic clock. */
  onChunk(chunk: CompletionChunk, now: number): void {
    if (chunk.type !== 'prefill') return;
    this.#last = { tokens: chunk.done, at: now };
    this.#first ??= this.#last;
  }

  /** Null after fewer than two reports. */
  measured(): PrefillTime | null {
    if (!this.#first || !this.#last || this.#first === this.#last) return null;
    return { tokens: this.#last.tokens - this.#first.tokens, ms: this.#last.at - this.#first.at };
  }
}
