/** The window over which the speed is measured, ms. */
const WINDOW_MS = 5_000;
/** Samples are at least this far apart, ms, so that a source that reports every byte does not fill memory. */
const SAMPLE_MS = 100;
/** A shorter time gives no useful figure, ms. */
const SHORTEST_MS = 500;

/** Speed of a download over the last seconds. */
export class Speed {
  #samples: { at: number; bytes: number }[] = [];

  /** Adds a sample at a time of the clock, ms. Returns bytes per second; null = not known yet. */
  add(at: number, bytes: number): number | null {
    if (at - (this.#samples.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= SAMPLE_MS)
      this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    const elapsed = first ? at - first.at : 0;
    if (!first || elapsed <= SHORTEST_MS) return null;
    const speed = ((bytes - first.bytes) / elapsed) * 1000;
    // Damaged bytes were removed.
    return speed >= 0 ? speed : null;
  }
}
