import { Worker } from 'node:worker_threads';
import type { Warning } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import { type Clock, systemClock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import { JournalBuffer } from './journal-buffer';
import type { StoreFailure, StoreRequest, StoreServer, WorkerInput, WorkerMessage } from './store-protocol';
import type { Store } from './types';

export interface StoreOptions {
  dataDir: string;
  /** The built worker: `new URL('./store-worker.js', import.meta.url)` in the app. */
  workerUrl: URL;
  logger: Logger;
  clock?: Clock;
}

/** A store with warnings for the user about how it was opened. */
export interface OpenedStore extends Store {
  readonly warnings: readonly Warning[];
}

type Asynchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never;
};

/**
 * Starts the worker and opens the database in it. Rejects with `disk_full` or `database_unreadable` if not even a new
 * database can be created. If the worker dies later, every call rejects with `database_unreadable`.
 */
export async function openStore({ dataDir, workerUrl, logger, clock }: StoreOptions): Promise<OpenedStore> {
  const line = new WorkerLine(
    new Worker(workerUrl, { workerData: { dataDir } satisfies WorkerInput }),
    logger,
  );
  const { methods, readOnly, warnings } = await line.opened;
  const calls = Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => line.call(method, args)]),
  ) as unknown as Asynchronous<StoreServer>;
  const journal = new JournalBuffer(clock ?? systemClock, logger, (rows) => calls.writeJournal(rows));

  return {
    ...calls,
    readOnly,
    warnings,
    journal: (row) => {
      if (!readOnly) journal.add(row);
    },
    async modelUses() {
      await journal.flush();
      return calls.modelUses();
    },
    async close() {
      await journal.flush();
      await line.close();
    },
  };
}

/** Requests to the worker and their responses, matched by id. */
class WorkerLine {
  readonly opened: Promise<Extract<WorkerMessage, { type: 'opened' }>>;
  readonly #worker: Worker;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #nextId = 0;
  #dead: TandemError | null = null;

  constructor(worker: Worker, logger: Logger) {
    this.#worker = worker;
    this.opened = new Promise((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'opened') resolve(message);
        else if (message.type === 'failed') {
          reject(toError(message.error));
          void worker.terminate();
        } else this.#settle(message);
      });
      worker.on('error', (error) => logger.error('store_worker_failed', { error }));
      worker.on('exit', () => {
        this.#die();
        reject(this.#dead);
      });
    });
  }

  call(method: keyof StoreServer, args: unknown[]): Promise<unknown> {
    if (this.#dead) return Promise.reject(this.#dead);
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, args } satisfies StoreRequest);
    });
  }

  /** Resolves when the thread has ended; a second call, or a dead worker, is not an error. */
  async close(): Promise<void> {
    if (!this.#dead) await this.call('close', []).catch(() => {});
    await this.#worker.terminate();
  }

  #settle(message: Extract<WorkerMessage, { type: 'result' }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('error' in message) waiting?.reject(toError(message.error));
    else waiting?.resolve(message.value);
  }

  #die(): void {
    this.#dead = new TandemError(
      'database_unreadable',
      'The database is closed. Restart Tandem to open it again.',
    );
    for (const { reject } of this.#waiting.values()) reject(this.#dead);
    this.#waiting.clear();
  }
}

function toError({ code, message }: StoreFailure): TandemError {
  return new TandemError(code, message);
}
