import type { Handlers, Push, Warning } from '../../shared/contract';
import type { ScanProcess } from '../models/scan-process';
import type { Clock } from '../ports/clock';
import type { Unsubscribe } from '../ports/emitter';
import type { Fetcher, Poster } from '../ports/fetcher';
import type { FileStore } from '../ports/file-store';
import type { Logger } from '../ports/logger';
import type { Secrets } from '../ports/secrets';
import type { ProcessTable, Spawner } from '../ports/spawner';
import type { ChildRecords } from '../supervisor/sweep';

/** The core's interface for its hosts. */
export interface Core {
  /** The bound contract; works from the start, even while set-up is running. */
  readonly handlers: Handlers;
  readonly onPush: (listener: (push: Push) => void) => Unsubscribe;
  /** Addresses of the two listeners; null while they do not listen. */
  addresses(): { gateway: string | null; mlxApi: string | null };
  /** Origins of the UI that the listeners accept; read at each request. */
  setUiOrigins(origins: () => readonly string[]): void;
  /** Adds a warning for the user. */
  warn(warning: Warning): void;
  /**
   * Opens the ports and starts backends and set-up, which go on in the background. Rejects with a `TandemError` if
   * the main job cannot run (`port_taken`).
   */
  start(): Promise<void>;
  /** Resolves when the first enabled backend is up or failed; with `all`, when every one is. Rejects when aborted. */
  settled(all: boolean, signal: AbortSignal): Promise<void>;
  /** Stops everything that was started; within 10 s, never rejects, safe to call twice. */
  stop(): Promise<void>;
  /** Call after the machine wakes up: timers were suspended, and servers may have died. */
  resume(): void;
}

/** What the core uses of the outside. */
export interface CorePorts {
  clock: Clock;
  spawner: Spawner;
  /** Starts the process that reads model folders. */
  scan: ScanProcess;
  table: ProcessTable;
  records: ChildRecords;
  fetcher: Fetcher;
  post: Poster;
  files: FileStore;
  secrets: Secrets;
  logger: Logger;
}
