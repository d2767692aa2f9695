import { PRIORITIES, type Priority } from '../../shared/domain';
import { FairLine, type Groupable, type LineEntry, MAX_PASSES } from './fair-line';

/**
 * All that wait for one backend. Decision, numbered as in the code:
 * 1. `high` goes first; medium and low together get every fifth grant at least.
 * 2. Of those, `medium` goes first; `low` gets every fifth at least.
 * 3. Within a priority clients take turns, and where a load can be saved the model granted last goes first for at
 *    most four grants in a row; never among `high`. See `FairLine`.
 *
 * From this follow the bounds that the tests prove (N = clients that wait with the same priority meanwhile):
 * `low` as a whole is served once in 25 grants; the oldest `low` of a client waits for fewer than 125 × N grants.
 */
export class PriorityLine<T extends Groupable & { priority: Priority }> {
  readonly #lines: Record<Priority, FairLine<T>> = {
    high: new FairLine(),
    medium: new FairLine(),
    low: new FairLine(),
  };
  /** Grants to `high` while others waited, since one of them was served. */
  #othersPassed = 0;
  /** Grants to `medium` while `low` waited, since `low` was served. */
  #lowPassed = 0;
  #loaded: string | null = null;

  get size(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#lines[priority].size, 0);
  }

  add(request: T): LineEntry<T> {
    return this.#lines[request.priority].add(request);
  }

  /** Empties a seat of this line; an empty one stays empty. */
  remove(seat: LineEntry<T>): void {
    this.#lines[seat.request.priority].remove(seat);
  }

  /** Takes out who is next; null when nobody waits. */
  take(): T | null {
    const priority = this.#nextPriority();
    // 3. Turns and batches.
    const request = this.#lines[priority].take(priority === 'high' ? null : this.#loaded);
    if (!request) return null;
    this.#note(priority);
    this.#loaded = request.model;
    return request;
  }

  /** The same line once more, to try out in which order it will be served. O(n). */
  copy(): PriorityLine<T> {
    const copy = new PriorityLine<T>();
    for (const priority of PRIORITIES) copy.#lines[priority] = this.#lines[priority].copy();
    copy.#othersPassed = this.#othersPassed;
    copy.#lowPassed = this.#lowPassed;
    copy.#loaded = this.#loaded;
    return copy;
  }

  #nextPriority(): Priority {
    const { high, medium, low } = this.#lines;
    const others = medium.size + low.size > 0;
    // 1. High, unless the others are owed a turn.
    if (high.size > 0 && !(others && this.#othersPassed >= MAX_PASSES)) return 'high';
    // 2. Medium, unless low is owed a turn.
    return medium.size > 0 && !(low.size > 0 && this.#lowPassed >= MAX_PASSES) ? 'medium' : 'low';
  }

  #note(granted: Priority): void {
    const { medium, low } = this.#lines;
    const others = medium.size + low.size > 0;
    this.#othersPassed = granted === 'high' && others ? this.#othersPassed + 1 : 0;
    if (granted === 'low' || low.size === 0) this.#lowPassed = 0;
    else if (granted === 'medium') this.#lowPassed += 1;
  }
}
