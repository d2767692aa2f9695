import { relative } from 'node:path';
import {
  ForksPoolWorker,
  type PoolOptions,
  type PoolRunnerInitializer,
  type WorkerRequest,
} from 'vitest/node';

const NAME = 'watched-forks';

type Callback = Parameters<ForksPoolWorker['on']>[1];

/** A message from Vitest's worker: an answer to the pool, or a call of one of its methods such as `onTaskUpdate`. */
interface WorkerMessage {
  __vitest_worker_response__?: true;
  type?: string;
  m?: string;
}

/**
 * Vitest's worker process, killed when it makes no progress. An endless loop blocks all timers of its own process, so
 * the time limits of its tests cannot end it.
 */
class WatchedWorker extends ForksPoolWorker {
  override readonly name = NAME;
  readonly #limitMs: number;
  readonly #root: string;
  readonly #onHung: Callback[] = [];
  #files: string[] = [];
  #limit: NodeJS.Timeout | undefined;
  #hung = false;

  constructor(options: PoolOptions, limitMs: number) {
    super(options);
    this.#limitMs = limitMs;
    this.#root = options.project.config.root;
  }

  override on(event: string, callback: Callback): void {
    super.on(event, callback);
    if (event === 'error') this.#onHung.push(callback);
  }

  override off(event: string, callback: Callback): void {
    super.off(event, callback);
    const index = this.#onHung.indexOf(callback);
    if (event === 'error' && index >= 0) this.#onHung.splice(index, 1);
  }

  override send(message: WorkerRequest): void {
    super.send(message);
    if (message.type !== 'run' && message.type !== 'collect') return;
    this.#files = message.context.files.map(({ filepath }) => relative(this.#root, filepath));
    this.#wait();
  }

  override deserialize(data: unknown): unknown {
    const message = super.deserialize(data) as WorkerMessage;
    if (message.type === 'testfileFinished') this.#rest();
    // An endless loop may print forever.
    else if (this.#limit && message.m !== 'onUserConsoleLog') this.#wait();
    return message;
  }

  /** Whether the next file may run here; all files of a project have the same environment. */
  canReuse(): boolean {
    return !this.#hung;
  }

  override stop(): Promise<void> {
    this.#rest();
    return super.stop();
  }

  #rest(): void {
    clearTimeout(this.#limit);
    this.#limit = undefined;
  }

  #wait(): void {
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => {
      this.#hung = true;
      const files = this.#files.join(', ');
      const error = new Error(`${files} hung: no progress for ${this.#limitMs / 1000} s, so it was killed`);
      for (const tell of this.#onHung) tell(error);
    }, this.#limitMs);
  }
}

/**
 * A pool of worker processes for Vitest. It kills a worker whose file makes no progress for `limitMs` and reports the
 * file as failed; the other files still run. Progress is what Vitest reports of a file: that it was loaded, that a test
 * began or ended. Output of a test is no progress.
 * @param limitMs longer than any test may take, since nothing is reported while a test runs
 */
export function watchedWorkers(limitMs: number): PoolRunnerInitializer {
  return { name: NAME, createPoolWorker: (options) => new WatchedWorker(options, limitMs) };
}
