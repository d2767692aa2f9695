import type { Handlers, Push, Warning } from '../../shared/contract';
import type { Unsubscribe } from '../ports/emitter';

/** The core as its hosts see it. */
export interface Core {
  /** The contract, bound; works from the start on, also while set-up is running. */
  readonly handlers: Handlers;
  readonly onPush: (listener: (push: Push) => void) => Unsubscribe;
  /** Addresses of the two listeners; null while they do not listen. */
  addresses(): { gateway: string | null; mlxApi: string | null };
  /** Origins of the UI, which the listeners then accept; asked at each request. */
  setUiOrigins(origins: () => readonly string[]): void;
  /** Adds something that a person should know. */
  warn(warning: Warning): void;
  /**
   * Opens the ports and starts backends and set-up, which go on in the background. Rejects with a `TandemError` if
   * the main job cannot run (`port_taken`).
   */
  start(): Promise<void>;
  /** Resolves when MLX has come up or failed; with `all`, when every backend has. Rejects when aborted. */
  settled(all: boolean, signal: AbortSignal): Promise<void>;
  /** Ends everything that was started; within 10 s, never rejects, safe to call twice. */
  stop(): Promise<void>;
  /** The machine woke up: timers slept, servers may have died. */
  resume(): void;
}
