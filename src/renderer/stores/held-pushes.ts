/** Reading again costs less than to keep and apply more than these. */
const MOST = 1_000;

/** Pushes that wait for a reply of the core, which may never come: so many at the most. */
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

  /** Hands over what waited, in its order; null = there was too much, and only a fresh reading tells what is true. */
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
