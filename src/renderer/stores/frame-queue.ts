/** Longest delay of a push while the window is hidden and renders no frames, ms. */
const HIDDEN_MS = 250;

/**
 * Delivers items in one batch per animation frame, so that ten tokens in one frame cause one render. Keeps their order.
 * A hidden page gets no frames, so a timer takes over.
 */
export class FrameQueue<T> {
  readonly #deliver: (item: T) => void;
  #items: T[] = [];
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deliver: (item: T) => void) {
    this.#deliver = deliver;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#timer !== undefined) return;
    this.#frame = requestAnimationFrame(this.#flush);
    this.#timer = setTimeout(this.#flush, HIDDEN_MS);
  }

  close(): void {
    this.#cancel();
    this.#items = [];
  }

  readonly #flush = (): void => {
    this.#cancel();
    const items = this.#items;
    this.#items = [];
    // React batches all store changes of one task into one render.
    for (const item of items) this.#deliver(item);
  };

  #cancel(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
