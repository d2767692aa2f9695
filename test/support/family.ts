import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { processesOf } from './processes';

/** Follows all descendants that a process ever has, also those that outlive it. */
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

  /** Ends the watch and gives those that still live; a process that is being reaped has a second for it. */
  async survivors(): Promise<string[]> {
    this.#done = true;
    await this.#watching;
    for (let turn = 0; turn < 20 && this.#alive().length > 0; turn += 1) await pause(50);
    return Promise.all(this.#alive().map(describe));
  }

  /** How many were seen so far. */
  get size(): number {
    return this.#seen.size;
  }

  #alive(): number[] {
    return [...this.#seen].filter(isAlive);
  }
}

async function describe(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', [
    '-o',
    'pid=,ppid=,stat=,args=',
    '-p',
    String(pid),
  ]).catch(() => ({ stdout: `${pid}, gone just now` }));
  return stdout.trim();
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
