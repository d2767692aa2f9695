/** One value's place in a list, and the handle to remove it. */
export interface Link<T> {
  readonly value: T;
  previous: Link<T> | null;
  next: Link<T> | null;
}

/** A doubly linked list: appending, removing by handle and reading both ends cost O(1). */
export class LinkedList<T> {
  #first: Link<T> | null = null;
  #last: Link<T> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | null {
    return this.#first?.value ?? null;
  }

  get last(): T | null {
    return this.#last?.value ?? null;
  }

  push(value: T): Link<T> {
    const link: Link<T> = { value, previous: null, next: null };
    this.#append(link);
    return link;
  }

  /** Removes a link. It must be in this list: each owner drops its handle when it removes the link. */
  remove(link: Link<T>): void {
    if (link.previous) link.previous.next = link.next;
    else this.#first = link.next;
    if (link.next) link.next.previous = link.previous;
    else this.#last = link.previous;
    link.previous = null;
    link.next = null;
    this.#size -= 1;
  }

  moveToEnd(link: Link<T>): void {
    this.remove(link);
    this.#append(link);
  }

  *[Symbol.iterator](): Generator<T, void, void> {
    for (let link = this.#first; link; link = link.next) yield link.value;
  }

  #append(link: Link<T>): void {
    link.previous = this.#last;
    if (this.#last) this.#last.next = link;
    else this.#first = link;
    this.#last = link;
    this.#size += 1;
  }
}
