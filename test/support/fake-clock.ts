import type { Clock } from '../../src/main/ports/clock';

interface Timer {
  at: number;
  order: number;
  every: number | null;
  run: () => void;
}

/** Time that moves only when a test moves it. `advance` runs due timers in order and lets promises settle. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  #start: number;
  readonly #timers = new Set<Timer>();

  constructor(start: Date = new Date('2026-01-01T00:00:00Z')) {
    this.#start = start.getTime();
  }

  now(): number {
    return this.#now;
  }

  wall(): Date {
    return new Date(this.#start + this.#now);
  }

  after(ms: number, run: () => void): () => void {
    return this.#add(ms, null, run);
  }

  every(ms: number, run: () => void): () => void {
    return this.#add(ms, ms, run);
  }

  /** The wall clock jumps by `ms`; monotonic time is unchanged. */
  jump(ms: number): void {
    this.#start += ms;
  }

  /** Timers that are still set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time by `ms`; each timer runs at its own time, with pending promises settled before and after it. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#now = Math.max(this.#now, timer.at);
      if (timer.every === null) this.#timers.delete(timer);
      else timer.at += Math.max(1, timer.every);
      timer.run();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** The machine sleeps: time passes, and no timer runs before the next `advance`. */
  sleepThrough(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) timer.at = Math.max(timer.at, this.#now);
  }

  #add(ms: number, every: number | null, run: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, every, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #next(end: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Lets every promise settle that needs neither time nor I/O. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
