import type { Clock } from '../../ports/clock';
import type { MemEvent, SequenceEvent } from './launcher-events';

/** A request whose caller left before it reached the server may never be reported; it is dropped after this time. */
const NEVER_SEEN_MS = 1000;

interface Sequence {
  seen: boolean;
  started: boolean;
  /** The server has finished it; its output may still be unread. */
  ended: boolean;
  /** When its caller left; null = the caller is still listening. */
  leftAt: number | null;
  /** Since when its caller has waited for the server's next frame; null = the caller is handling the last one. */
  askedAt: number | null;
}

/**
 * Our own requests inside the MLX process, identified by the id that the launcher reports: a cancelled one is computed
 * until its prefill step ends, and only then is its slot free.
 */
export class Sequences {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #sequences = new Map<string, Sequence>();
  readonly #waiters = new Set<() => void>();

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Number of requests whose callers still listen. */
  get open(): number {
    return this.#count(false);
  }

  /** Number of requests computed for callers who left. */
  get draining(): number {
    return this.#count(true);
  }

  /** Number of requests that the server has not finished, with or without a caller. */
  get unfinished(): number {
    let count = 0;
    for (const { ended } of this.#sequences.values()) if (!ended) count += 1;
    return count;
  }

  /** Number of requests whose callers wait for the server, not the other way round. */
  get awaiting(): number {
    let count = 0;
    for (const { leftAt, askedAt } of this.#sequences.values()) {
      if (leftAt === null && askedAt !== null) count += 1;
    }
    return count;
  }

  /** Since when the oldest draining request has been draining; null = none is. */
  get drainingSince(): number | null {
    return this.#earliest(({ leftAt }) => leftAt);
  }

  /** Start of the longest wait for a frame of a request that the server computes; null = none waits. */
  get quietSince(): number | null {
    return this.#earliest(({ started, leftAt, askedAt }) => (started && leftAt === null ? askedAt : null));
  }

  /** Start of the longest wait for output of a fully computed request; null = none waits. */
  get completeSince(): number | null {
    return this.#earliest(({ ended, leftAt, askedAt }) => (ended && leftAt === null ? askedAt : null));
  }

  begin(id: string): void {
    const fresh = { seen: false, started: false, ended: false, leftAt: null };
    this.#sequences.set(id, { ...fresh, askedAt: this.#clock.now() });
    this.#onChange();
  }

  /** A frame has arrived and is given to its caller. */
  handOver(id: string): void {
    const sequence = this.#sequences.get(id);
    if (sequence) sequence.askedAt = null;
  }

  /** The caller requests the next frame. */
  ask(id: string): void {
    const sequence = this.#sequences.get(id);
    if (sequence) sequence.askedAt = this.#clock.now();
  }

  /** This program was paused: waits and drains start counting again. */
  restartTimes(): void {
    const now = this.#clock.now();
    for (const sequence of this.#sequences.values()) {
      if (sequence.askedAt !== null) sequence.askedAt = now;
      if (sequence.leftAt !== null) sequence.leftAt = now;
    }
  }

  /** The answer is complete, or has failed at the server. */
  end(id: string): void {
    if (!this.#sequences.delete(id)) return;
    this.#changed();
  }

  /** The caller has left; the server may still be computing. */
  leave(id: string): void {
    const sequence = this.#sequences.get(id);
    if (!sequence) return;
    sequence.leftAt ??= this.#clock.now();
    if (sequence.ended) {
      this.end(id);
      return;
    }
    if (!sequence.seen) {
      this.#clock.after(NEVER_SEEN_MS, () => {
        if (!sequence.seen && this.#sequences.get(id) === sequence) this.end(id);
      });
    }
    this.#changed();
  }

  onSequence(event: SequenceEvent): void {
    const sequence = this.#sequences.get(event.id);
    if (!sequence) return;
    sequence.seen = true;
    if (event.state === 'started') {
      sequence.started = true;
      // Its wait in the server's queue does not count as silence.
      if (sequence.askedAt !== null) sequence.askedAt = this.#clock.now();
    }
    if (event.state !== 'ended') return;
    sequence.ended = true;
    if (sequence.askedAt !== null) sequence.askedAt = this.#clock.now();
    // Its last bytes may still be on their way to a listening caller; that caller's stream ends it.
    if (sequence.leftAt !== null) this.end(event.id);
  }

  /** Drops requests whose `ended` line was lost; they would stay forever otherwise. */
  onFigures({ sequences, queue }: MemEvent): void {
    if (sequences === 0 && queue === 0) this.#forgetLeft((sequence) => sequence.seen);
  }

  /** The process has exited, and all sequences with it. */
  clear(): void {
    this.#forgetLeft(() => true);
  }

  /** Resolves when nothing is computed for callers who left. */
  drained(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.draining === 0) return resolve();
      const onAbort = () => {
        this.#waiters.delete(settle);
        reject(signal?.reason);
      };
      const settle = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiters.add(settle);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #forgetLeft(which: (sequence: Sequence) => boolean): void {
    let forgotten = false;
    for (const [id, sequence] of this.#sequences) {
      if (sequence.leftAt === null || !which(sequence)) continue;
      this.#sequences.delete(id);
      forgotten = true;
    }
    if (forgotten) this.#changed();
  }

  #earliest(timeOf: (sequence: Sequence) => number | null): number | null {
    let earliest: number | null = null;
    for (const sequence of this.#sequences.values()) {
      const time = timeOf(sequence);
      if (time !== null) earliest = Math.min(earliest ?? time, time);
    }
    return earliest;
  }

  #count(left: boolean): number {
    let count = 0;
    for (const { leftAt } of this.#sequences.values()) if ((leftAt !== null) === left) count += 1;
    return count;
  }

  #changed(): void {
    if (this.draining === 0) {
      for (const settle of this.#waiters) settle();
      this.#waiters.clear();
    }
    this.#onChange();
  }
}
