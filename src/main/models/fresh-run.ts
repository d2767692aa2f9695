/**
 * Runs a job one at a time, so that nobody gets what was there before they asked: a call during a run gets the run after
 * it, which all such calls share.
 */
export class FreshRun {
  readonly #job: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(job: () => Promise<void>) {
    this.#job = job;
  }

  /** The run that goes on, if any; what it found may be older than the question. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  /** Resolves, or rejects, as a run does that began after this call. */
  start(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#run();
      return this.#running;
    }
    const run = () => this.#run();
    this.#next ??= this.#running.then(run, run);
    return this.#next;
  }

  async #run(): Promise<void> {
    try {
      await this.#job();
    } finally {
      this.#running = this.#next;
      this.#next = null;
    }
  }
}
