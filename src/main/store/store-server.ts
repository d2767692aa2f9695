import { chatQueries } from './chats';
import { openDatabase } from './database';
import { journalQueries } from './journal';
import { toStoreError } from './sqlite-errors';
import type { StoreRequest, StoreServer, WorkerInput, WorkerMessage } from './store-protocol';

/** Opens the database and answers requests through `post`. Runs in the worker, but is independent of threads. */
export function serveStore(
  { dataDir }: WorkerInput,
  now: Date,
  post: (message: WorkerMessage) => void,
): (request: StoreRequest) => void {
  let server: StoreServer;
  try {
    const { db, readOnly, backupDir, warnings } = openDatabase(dataDir, now);
    server = { ...chatQueries(db, backupDir), ...journalQueries(db), close: () => db.close() };
    // A read-only database has nothing to recover.
    if (readOnly) server.recover = () => ({ interrupted: 0, erased: 0 });
    post({ type: 'opened', readOnly, warnings, methods: Object.keys(server) as (keyof StoreServer)[] });
  } catch (error) {
    post({ type: 'failed', error: toFailure(error) });
    return () => {};
  }
  return ({ id, method, args }) => {
    try {
      const run = server[method] as (...args: unknown[]) => unknown;
      post({ type: 'result', id, value: run.apply(server, args) });
    } catch (error) {
      post({ type: 'result', id, error: toFailure(error) });
    }
  };
}

function toFailure(error: unknown): { code: ReturnType<typeof toStoreError>['code']; message: string } {
  const { code, message } = toStoreError(error);
  return { code, message };
}
