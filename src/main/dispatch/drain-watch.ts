import type { BackendId } from '../../shared/domain';
import type { Clock } from '../ports/clock';
import type { Unsubscribe } from '../ports/emitter';

/** A cancelled prompt may keep computing this long before requests behind it move to another backend. */
const STALL_MS = 2000;

/** Tracks which backends still compute for callers who left, and notifies waiting requests when that takes too long. */
export class DrainWatch {
  readonly #clock: Clock;
  readonly #stalled = new Map<BackendId, number>();
  readonly #waiting = new Map<BackendId, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches one drain until it settles. */
  watch(backend: BackendId, drained: Promise<void>): void {
    let stalled = false;
    const cancel = this.#clock.after(STALL_MS, () => {
      stalled = true;
      this.#stalled.set(backend, (this.#stalled.get(backend) ?? 0) + 1);
      for (const tell of [...(this.#waiting.get(backend) ?? [])]) tell();
    });
    const ended = () => {
      cancel();
      if (stalled) this.#stalled.set(backend, (this.#stalled.get(backend) ?? 1) - 1);
    };
    void drained.then(ended, ended);
  }

  isStalled(backend: BackendId): boolean {
    return (this.#stalled.get(backend) ?? 0) > 0;
  }

  /** Calls `tell` when a drain on this backend takes longer than `STALL_MS`. */
  onStall(backend: BackendId, tell: () => void): Unsubscribe {
    const waiting = this.#waiting.get(backend) ?? new Set();
    this.#waiting.set(backend, waiting.add(tell));
    return () => void waiting.delete(tell);
  }
}
