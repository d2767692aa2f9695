import { setTimeout as pause } from 'node:timers/promises';
import { livingOf, processesOf } from './processes';

/** Tracks all descendants that a process ever has, also those that outlive it. */
export class Family {
  readonly #seen = new Set<number>();
  readonly #watching: Promise<void>;
  #done = false;

  constructor(pid: number) {
    this.#watching = this.#watch(pid);
  }

  async #watch(pid: number): Promise<void> {
    while (!this.#done) {
      for (const each of await processesOf(pid)) this.#seen.add(each);
      await pause(40);
    }
  }

  /** Stops tracking and returns the processes that are still alive; a process that is just exiting gets a second. */
  async survivors(): Promise<string[]> {
    this.#done = true;
    await this.#watching;
    const pids = [...this.#seen];
    let living = await livingOf(pids);
    for (let turn = 0; turn < 20 && living.length > 0; turn += 1) {
      await pause(50);
      living = await livingOf(pids);
    }
    return living;
  }

  /** Number of processes seen so far. */
  get size(): number {
    return this.#seen.size;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
