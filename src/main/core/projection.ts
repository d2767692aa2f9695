import type { Push, Snapshot } from '../../shared/contract';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';

/** Changes within this time are sent as one patch, ms. */
const COALESCE_MS = 50;

/** The source of each part of the snapshot. */
export type Sources = { [K in keyof Snapshot]: () => Snapshot[K] };

/**
 * The UI's state, projected from the core: a snapshot on request, then patches with revisions that increase by one. It
 * stores only the revision and the last value sent of each part, so that a patch contains only changes.
 */
export class Projection {
  readonly #sources: Sources;
  readonly #clock: Clock;
  readonly #pushes = new Emitter<Push>();
  readonly #dirty = new Set<keyof Snapshot>();
  readonly #sent = new Map<keyof Snapshot, string>();
  #revision = 0;
  #scheduled = false;

  readonly onPush = this.#pushes.subscribe;

  constructor(sources: Sources, clock: Clock) {
    this.#sources = sources;
    this.#clock = clock;
  }

  /** Marks parts that may have a new value. */
  touch(...keys: (keyof Snapshot)[]): void {
    for (const key of keys) this.#dirty.add(key);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.after(COALESCE_MS, () => this.#flush());
  }

  /** The whole state. Pending changes are sent first, so that the revision covers all of it. */
  snapshot(): { revision: number; snapshot: Snapshot } {
    this.#flush();
    const keys = Object.keys(this.#sources) as (keyof Snapshot)[];
    const snapshot = Object.fromEntries(keys.map((key) => [key, this.#sources[key]()])) as Snapshot;
    return { revision: this.#revision, snapshot };
  }

  #flush(): void {
    this.#scheduled = false;
    const patch: Partial<Record<keyof Snapshot, unknown>> = {};
    for (const key of this.#dirty) {
      const value = this.#sources[key]();
      const text = JSON.stringify(value);
      if (this.#sent.get(key) === text) continue;
      this.#sent.set(key, text);
      patch[key] = value;
    }
    this.#dirty.clear();
    if (Object.keys(patch).length === 0) return;
    this.#revision += 1;
    this.#pushes.emit({
      name: 'patch',
      payload: { revision: this.#revision, patch: patch as Partial<Snapshot> },
    });
  }
}
