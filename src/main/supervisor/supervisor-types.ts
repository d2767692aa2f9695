import type { BackendId } from '../../shared/domain';
import type { Breaker, ExitCause } from '../../shared/incidents';
import type { BackendStatus } from '../../shared/status';
import type { ChildHandle, LaunchSpec, ProcessExit } from '../ports/spawner';
import type { ExitReading } from './exit-cause';
import type { SupervisorLimits } from './limits';
import type { Machine } from './machine';

export interface SupervisorOptions {
  /** Whose process it is, for the log, the child records and the timeline. */
  kind: BackendId;
  /** Asked at each step, so that a changed setting acts at once. */
  limits(): SupervisorLimits;
  /** Is there a program to start? Asked when it is wanted after it was not, or was absent. Missing = there always is. */
  locate?(): Promise<boolean>;
  /** What to start, asked anew before each start; null = its program has gone. A rejection is a failed start. */
  launch(): Promise<LaunchSpec | null>;
  /** Told of each new process, to read its output. */
  onSpawn(child: ChildHandle): void;
  /**
   * Resolves when it is ready; tells its stages, `probing` only when an answer is asked for, which closes the breaker.
   * A rejection ends the process.
   */
  probe(signal: AbortSignal, onStage: (stage: 'loading' | 'probing') => void): Promise<void>;
  /** What the server's exit code means and what its log holds. */
  readExit(exit: ProcessExit): ExitReading;
  /** Told of each exit that nobody asked for; false = starting again cannot help, so that the breaker opens for a person to close. */
  mayRecover?(cause: ExitCause): boolean;
  /**
   * Resolves when memory allows another start; asked before each one, with what ended the last. While it has not
   * resolved the server counts as waiting for memory; rejects when the signal aborts.
   */
  mayStart(signal: AbortSignal, cause: ExitCause | null): Promise<void>;
}

/** Why a process ended last. */
export interface LastExit {
  cause: ExitCause;
  /** Wall time in ms. */
  at: number;
  /** It hung because somebody had paused it, so no request is to blame. */
  outside: boolean;
}

/** The supervised process as others may see it. */
export interface SupervisorView {
  state: Machine['state']['name'];
  stage: BackendStatus['stage'];
  pid: number | null;
  restarts: number;
  breaker: Breaker;
  /** Wall time in ms. */
  readySince: number | null;
  nextStartAt: number | null;
  lastError: LastExit | null;
}
