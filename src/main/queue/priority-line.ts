import { PRIORITIES, type Priority } from '../../shared/domain';
import { FairLine, type Groupable, type LineEntry, MAX_PASSES } from './fair-line';

/**
 * All requests that wait for one backend. The order, numbered as in the code:
 * 1. `high` goes first; medium and low together get at least every fifth grant.
 * 2. Of those, `medium` goes first; `low` gets at least every fifth.
 * 3. Within a priority clients take turns. If it saves a load, the most recently granted model goes first for at most
 * four grants in a row; never in `high`. See `FairLine`.
 *
 * The tests prove the resulting bounds (N = clients that wait meanwhile with the same priority):
 * `low` as a whole is served once in 25 grants; the oldest `low` of a client waits for fewer than 125 × N grants.
 */
export class PriorityLine<T extends Groupable & { priority: Priority }> {
  readonly #lines: Record<Priority, FairLine<T>> = {
    high: new FairLine(),
    medium: new FairLine(),
    low: new FairLine(),
  };
  /** Grants to `high` while others waited, since one of the others was served. */
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

  /** Removes a request from this line; does nothing if it has already left. */
  remove(seat: LineEntry<T>): void {
    this.#lines[seat.request.priority].remove(seat);
  }

  /** Removes and returns the next request; null when none waits. */
  take(): T | null {
    const priority = this.#nextPriority();
    // 3. Turns and batches.
    const request = this.#lines[priority].take(priority === 'high' ? null : this.#loaded);
    if (!request) return null;
    this.#note(priority);
    this.#loaded = request.model;
    return request;
  }

  /** A copy of the line, used to simulate the order of service. O(n). */
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
    // 1. High, unless the others are due.
    if (high.size > 0 && !(others && this.#othersPassed >= MAX_PASSES)) return 'high';
    // 2. Medium, unless low is due.
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
