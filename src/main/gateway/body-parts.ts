/** Size of the buffers into which small chunks are copied together. */
const SLAB = 64 * 1024;
/** This many chunks are kept as they came, so that a usual request is never copied. */
const KEPT = 64;

/** The chunks of a body. Small ones are copied together, because a client may send every byte in a chunk of its own. */
export class BodyParts {
  bytes = 0;
  #whole: Buffer[] = [];
  #slab = Buffer.alloc(0);
  /** The part of the slab that `#whole` does not have yet. */
  #from = 0;
  #to = 0;

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (chunk.length >= SLAB / 2 || this.#whole.length < KEPT) {
      this.#flush();
      this.#whole.push(chunk);
      return;
    }
    if (chunk.length > this.#slab.length - this.#to) {
      this.#flush();
      this.#slab = Buffer.allocUnsafe(SLAB);
      this.#from = 0;
      this.#to = 0;
    }
    this.#to += chunk.copy(this.#slab, this.#to);
  }

  /** Everything so far, which is then no longer kept here. */
  take(): Buffer[] {
    this.#flush();
    const whole = this.#whole;
    this.#whole = [];
    this.#slab = Buffer.alloc(0);
    this.#from = 0;
    this.#to = 0;
    return whole;
  }

  #flush(): void {
    if (this.#to > this.#from) this.#whole.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
