import { PRIORITIES, type Priority } from '../../../src/shared/domain';

export interface Waiter {
  id: string;
  client: string;
  model: string;
  priority: Priority;
}

interface Turns {
  ring: string[];
  early: Map<string, number>;
  batch: number;
  served: string | null;
}

/** A second implementation of the queue's rules over one plain list: slow, but simple enough to be visibly correct. */
export class ReferenceLine {
  /** In order of arrival. */
  readonly waiting: Waiter[] = [];
  readonly #turns: Record<Priority, Turns> = { high: newTurns(), medium: newTurns(), low: newTurns() };
  #othersPassed = 0;
  #lowPassed = 0;
  #loaded: string | null = null;

  add(waiter: Waiter): void {
    const { ring, early, served } = this.#turns[waiter.priority];
    this.waiting.push(waiter);
    if (ring.includes(waiter.client)) return;
    early.set(waiter.client, 0);
    // The client that was served last goes behind clients that arrive before the next turn.
    if (served !== null && ring.at(-1) === served) ring.splice(-1, 0, waiter.client);
    else ring.push(waiter.client);
  }

  remove(id: string): void {
    const index = this.waiting.findIndex((waiter) => waiter.id === id);
    const [gone] = this.waiting.splice(index, 1);
    if (!gone || this.#of(gone.priority).some((other) => other.client === gone.client)) return;
    const { ring } = this.#turns[gone.priority];
    ring.splice(ring.indexOf(gone.client), 1);
  }

  take(): Waiter | null {
    const priority = this.#priority();
    const due = priority && this.#due(priority);
    if (!due) return null;
    const turns = this.#turns[priority];
    const next = (priority !== 'high' && this.#instead(due)) || due;
    if (next === due) {
      turns.batch = 0;
      turns.served = due.client;
      turns.early.set(due.client, 0);
      turns.ring.push(turns.ring.shift() ?? '');
    } else {
      turns.batch += 1;
      turns.early.set(next.client, (turns.early.get(next.client) ?? 0) + 1);
    }
    this.remove(next.id);
    this.#loaded = next.model;
    const low = this.#of('low').length > 0;
    const others = low || this.#of('medium').length > 0;
    this.#othersPassed = priority === 'high' && others ? this.#othersPassed + 1 : 0;
    if (priority === 'medium') this.#lowPassed += 1;
    if (priority === 'low' || !low) this.#lowPassed = 0;
    return next;
  }

  #priority(): Priority | null {
    const waits = PRIORITIES.filter((priority) => this.#of(priority).length > 0);
    if (waits.length > 1 && waits[0] === 'high' && this.#othersPassed >= 4) waits.shift();
    if (waits[0] === 'medium' && waits.length > 1 && this.#lowPassed >= 4) waits.shift();
    return waits[0] ?? null;
  }

  #due(priority: Priority): Waiter | undefined {
    return this.#of(priority).find((waiter) => waiter.client === this.#turns[priority].ring[0]);
  }

  /** The request that overtakes the one that is due, because its model is loaded. */
  #instead(due: Waiter): Waiter | null {
    const { batch, early } = this.#turns[due.priority];
    if (due.model === this.#loaded || batch >= 4) return null;
    const oldest = this.#of(due.priority).find((waiter) => waiter.model === this.#loaded);
    return oldest && (early.get(oldest.client) ?? 0) < 4 ? oldest : null;
  }

  #of(priority: Priority): Waiter[] {
    return this.waiting.filter((waiter) => waiter.priority === priority);
  }
}

function newTurns(): Turns {
  return { ring: [], early: new Map(), batch: 0, served: null };
}
