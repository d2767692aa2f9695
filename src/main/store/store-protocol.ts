import type { Warning } from '../../shared/contract';
import type { ErrorCode } from '../../shared/errors';
import type { JournalRow } from '../../shared/journal';
import type { Store } from './types';

/** The store's methods as the worker runs them: the same names and arguments, without promises. */
type Synchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : never;
};

export interface StoreQueries extends Synchronous<Omit<Store, 'readOnly' | 'journal' | 'close'>> {
  /** Returns the number of rows that the table refused; the others are written. */
  writeJournal(rows: JournalRow[]): number;
}

/** The methods that the worker runs for the client: the queries, and `close`. */
export interface StoreServer extends StoreQueries {
  close(): void;
}

export interface WorkerInput {
  dataDir: string;
}

export interface StoreRequest {
  id: number;
  method: keyof StoreServer;
  args: unknown[];
}

export interface StoreFailure {
  code: ErrorCode;
  message: string;
}

/** First exactly one `opened` or `failed`, then one `result` for each request. */
export type WorkerMessage =
  | { type: 'opened'; readOnly: boolean; warnings: Warning[]; methods: (keyof StoreServer)[] }
  | { type: 'failed'; error: StoreFailure }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'result'; id: number; error: StoreFailure };
