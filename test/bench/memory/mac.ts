import type { PublishedMac } from './published-macs';
import { STEP_S } from './trace';

/** Approximate compression ratio of WKdm on program memory, and the part of it that can be compressed at all. */
const COMPRESSION = 2.5;
const COMPRESSIBLE = 0.6;
/** The compressor begins here, the swap here (shares of memory). */
const COMPRESS_FROM = 0.9;
const SWAP_FROM = 0.96;
const COMPRESS_BYTES_PER_S = 2.5e9;
const SWAP_BYTES_PER_S = 0.4e9;
const SWAP_LIMIT = 0.25;

/**
 * The memory of one Mac: wired by the kernel and the GPU, and anonymous memory of programs, part of it compressed or
 * swapped out, both no faster than on a real Mac.
 */
export class SimMac {
  readonly published: PublishedMac;
  #compressed = 0;
  #swapped = 0;
  #demand = 0;
  #gpu = 0;
  #compressible = 0;

  constructor(published: PublishedMac) {
    this.published = published;
  }

  /** @param apps memory of other programs, @param gpu wired by both servers, @param cpu anonymous memory of both */
  step(apps: number, gpu: number, cpu: number): void {
    const { totalBytes, wiredBytes } = this.published;
    this.#gpu = gpu;
    this.#demand = wiredBytes + gpu + cpu + apps;
    const saves = 1 - 1 / COMPRESSION;
    const wanted = Math.max(0, this.#demand - this.#swapped - COMPRESS_FROM * totalBytes) / saves;
    this.#compressible = COMPRESSIBLE * apps;
    this.#compressed = toward(this.#compressed, Math.min(wanted, this.#compressible), COMPRESS_BYTES_PER_S);
    const over = this.usedBytes > SWAP_FROM * totalBytes;
    const swap = over ? SWAP_LIMIT * totalBytes : Math.max(0, this.#demand - COMPRESS_FROM * totalBytes);
    if (over || swap < this.#swapped) this.#swapped = toward(this.#swapped, swap, SWAP_BYTES_PER_S);
  }

  /** As Activity Monitor counts it. */
  get usedBytes(): number {
    return Math.max(0, this.#demand - this.#compressed * (1 - 1 / COMPRESSION) - this.#swapped);
  }

  /**
   * An allocation for the GPU fails now: above the working set, or when memory is full and nothing is left to compress.
   * Before that, a process that needs pages waits for them, as in the kernel (`vm_page_wait`); `speed` models this.
   */
  get exhausted(): boolean {
    const full = this.usedBytes > this.published.totalBytes && this.#compressed >= this.#compressible;
    return full || this.#gpu > this.published.workingSetBytes;
  }

  /** Everything is slow while the system compresses and swaps heavily. */
  get speed(): number {
    return this.usedBytes > 0.97 * this.published.totalBytes ? 0.4 : 1;
  }
}

function toward(value: number, goal: number, perS: number): number {
  const step = perS * STEP_S;
  return value < goal ? Math.min(goal, value + step) : Math.max(goal, value - step);
}
