import type { Pulse } from './pulse';

/** Result of a try to end a stuck process. */
export interface StallCure {
  /** The server can be used again. */
  cured: boolean;
  /** A process was ended that nobody had paused, so the request may be to blame. */
  processEnded: boolean;
}

/** What is known about a server besides its API, and the cures available for it. */
export interface ServerCare {
  /** The model is heavy, so every step may take longer. */
  heavy(model: string): boolean;
  /** State of the model processes; null if they cannot be observed. */
  pulse(): Promise<Pulse | null>;
  /** Is this model in the server's memory? Rejects when the server does not answer in time. */
  isLoaded(model: string): Promise<boolean>;
  /**
   * Asks the server itself whether it is alive, which takes a while if it is not; restarts our server if it stays
   * silent. @param again a cure was tried a moment ago without success
   * @returns it was silent, so no further calls to it make sense
   */
  restartSilent(again: boolean): Promise<boolean>;
  /**
   * Ends a process that is stuck.
   * @param again this was tried a moment ago without success
   */
  cureStall(model: string, again: boolean): Promise<StallCure>;
  /** Unloads our idle models. @returns whether any was unloaded */
  makeRoom(model: string, signal: AbortSignal): Promise<boolean>;
  /** An installed model that is small enough; null = none. @param freeBytes null = unknown */
  fitting(model: string, freeBytes: number | null): string | null;
  /** The only request was cancelled before its first token: its prompt may still be computed. */
  promptCancelled(): void;
}

/** A server about which only its API is known. */
export const STRANGER: ServerCare = {
  heavy: () => false,
  pulse: async () => null,
  isLoaded: async () => false,
  restartSilent: async () => false,
  cureStall: async () => ({ cured: false, processEnded: false }),
  makeRoom: async () => false,
  fitting: () => null,
  promptCancelled: () => {},
};
