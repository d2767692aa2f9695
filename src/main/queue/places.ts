import type { Clock } from '../ports/clock';
import type { Entry } from './entries';
import type { Scheduler, WaitingView } from './scheduler';

/** Shortest time between two rounds of reporting places, ms. */
const EVERY_MS = 250;
/** A very long line is processed less often: this many waiting requests add one ms. */
const WAITING_PER_MS = 20;
/** Up to this place every change is reported, and entries are shown; behind it only a change by a tenth. */
export const NEAR = 100;

/** Reports its place to each waiting request: at once after a pause, then at most every quarter of a second. */
export class Places {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  /** Requests that wait for a slot, by their id in the scheduler. */
  readonly #waiting: ReadonlyMap<string, Entry>;
  readonly #onTold: () => void;
  #near: Entry[] = [];
  #resting = false;
  #stale = false;

  /** `onTold` is called after a delayed round. */
  constructor(clock: Clock, scheduler: Scheduler, waiting: ReadonlyMap<string, Entry>, onTold: () => void) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#waiting = waiting;
    this.#onTold = onTold;
  }

  /** The requests within the first `NEAR` places at the last report. */
  near(): readonly Entry[] {
    return this.#near;
  }

  /** Call when places may have changed. */
  refresh(): void {
    if (this.#resting) {
      this.#stale = true;
      return;
    }
    this.#near = [];
    if (this.#waiting.size === 0) return;
    this.#tell();
    this.#resting = true;
    this.#clock.after(Math.max(EVERY_MS, this.#waiting.size / WAITING_PER_MS), () => this.#rested());
  }

  #rested(): void {
    this.#resting = false;
    if (!this.#stale) return;
    this.#stale = false;
    this.refresh();
    this.#onTold();
  }

  #tell(): void {
    const now = this.#clock.now();
    for (const backend of this.#scheduler.backends) {
      for (const view of this.#scheduler.waiting(backend, now)) this.#tellOne(view);
    }
    this.#near.sort((a, b) => positionOf(a) - positionOf(b));
  }

  #tellOne({ id, position, etaMs }: WaitingView): void {
    const entry = this.#waiting.get(id);
    if (entry?.stage.kind !== 'waiting') return;
    const { stage } = entry;
    stage.place = { position, etaMs };
    if (position <= NEAR) this.#near.push(entry);
    if (stage.told !== null && !isNews(stage.told, position)) return;
    stage.told = position;
    stage.onPlace(stage.place);
  }
}

function isNews(told: number, position: number): boolean {
  return position <= NEAR ? told !== position : Math.abs(told - position) >= told / 10;
}

function positionOf({ stage }: Entry): number {
  return stage.kind === 'waiting' ? (stage.place?.position ?? 0) : 0;
}
