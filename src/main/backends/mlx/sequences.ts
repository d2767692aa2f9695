import type { Clock } from '../../ports/clock';
import type { MemEvent, SequenceEvent } from './launcher-events';

/** A caller that left before its request reached the server may never be heard of again. */
const NEVER_SEEN_MS = 1000;

interface Sequence {
  seen: boolean;
  started: boolean;
  /** The server has done with it; what it said may still be unread. */
  ended: boolean;
  /** When its caller left; null = he listens. */
  leftAt: number | null;
  /** Since when its caller has waited for the server's next frame; null = the caller is busy with the last one. */
  askedAt: number | null;
}

/**
 * Our own requests inside the MLX process, told apart by the id that the launcher reports: a cancelled one is
 * computed on until its prefill step ends, and only then its slot is free.
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

  /** Requests whose callers still listen. */
  get open(): number {
    return this.#count(false);
  }

  /** Requests that are computed for nobody. */
  get draining(): number {
    return this.#count(true);
  }

  /** Requests that the server has not done with, whoever listens. */
  get unfinished(): number {
    let count = 0;
    for (const { ended } of this.#sequences.values()) if (!ended) count += 1;
    return count;
  }

  /** Requests whose callers wait for the server, and not the server for them. */
  get awaiting(): number {
    let count = 0;
    for (const { leftAt, askedAt } of this.#sequences.values()) {
      if (leftAt === null && askedAt !== null) count += 1;
    }
    return count;
  }

  /** Since when one has been computed for nobody, at the longest; null = none is. */
  get drainingSince(): number | null {
    return this.#earliest(({ leftAt }) => leftAt);
  }

  /** Since when a caller has waited for a frame of what the server computes, at the longest; null = nobody does. */
  get quietSince(): number | null {
    return this.#earliest(({ started, leftAt, askedAt }) => (started && leftAt === null ? askedAt : null));
  }

  /** Since when a caller has waited for what is computed in full, at the longest; null = nobody does. */
  get completeSince(): number | null {
    return this.#earliest(({ ended, leftAt, askedAt }) => (ended && leftAt === null ? askedAt : null));
  }

  begin(id: string): void {
    const fresh = { seen: false, started: false, ended: false, leftAt: null };
    this.#sequences.set(id, { ...fresh, askedAt: this.#clock.now() });
    this.#onChange();
  }

  /** A frame has come; its caller has it now. */
  handOver(id: string): void {
    const sequence = this.#sequences.get(id);
    if (sequence) sequence.askedAt = null;
  }

  /** The caller wants the next frame. */
  ask(id: string): void {
    const sequence = this.#sequences.get(id);
    if (sequence) sequence.askedAt = this.#clock.now();
  }

  /** We have not been running for a while: nobody has waited, and nothing has been drained, for any time yet. */
  restartTimes(): void {
    const now = this.#clock.now();
    for (const sequence of this.#sequences.values()) {
      if (sequence.askedAt !== null) sequence.askedAt = now;
      if (sequence.leftAt !== null) sequence.leftAt = now;
    }
  }

  /** The answer is complete, or failed at the server. */
  end(id: string): void {
    if (!this.#sequences.delete(id)) return;
    this.#changed();
  }

  /** The caller has gone; the server may still be computing. */
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
      // What it waited in the server's queue was no silence.
      if (sequence.askedAt !== null) sequence.askedAt = this.#clock.now();
    }
    if (event.state !== 'ended') return;
    sequence.ended = true;
    if (sequence.askedAt !== null) sequence.askedAt = this.#clock.now();
    // Its last bytes may still be on their way to a caller that listens; that one ends it by itself.
    if (sequence.leftAt !== null) this.end(event.id);
  }

  /** Sets right what a lost `ended` line would leave for ever. */
  onFigures({ sequences, queue }: MemEvent): void {
    if (sequences === 0 && queue === 0) this.#forgetLeft((sequence) => sequence.seen);
  }

  /** The process has gone, and every sequence with it. */
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
