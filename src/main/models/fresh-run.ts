/**
 * Runs a job one at a time, so that no caller gets a result from before its call: a call during a run waits for the
 * next run, shared by all such calls.
 */
export class FreshRun {
  readonly #job: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(job: () => Promise<void>) {
    this.#job = job;
  }

  /** The current run, if any; its result may be older than the caller's request. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  /** Settles like a run that began after this call. */
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
