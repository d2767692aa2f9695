/** Above this number, reading everything again is cheaper than storing and applying the pushes. */
const MOST = 1_000;

/** Pushes that wait for a reply from the core, which may never come; their number is bounded. */
export class HeldPushes<T> {
  #items: T[] = [];
  #isFull = false;

  add(item: T): void {
    if (this.#isFull) return;
    if (this.#items.length < MOST) {
      this.#items.push(item);
      return;
    }
    this.#isFull = true;
    this.#items = [];
  }

  /** Returns the held pushes in order; null = there were too many, so everything must be read again. */
  take(): readonly T[] | null {
    const items = this.#isFull ? null : this.#items;
    this.clear();
    return items;
  }

  clear(): void {
    this.#items = [];
    this.#isFull = false;
  }
}
