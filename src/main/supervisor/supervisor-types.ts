import type { BackendId } from '../../shared/domain';
import type { Breaker, ExitCause } from '../../shared/incidents';
import type { BackendStatus } from '../../shared/status';
import type { ChildHandle, LaunchSpec, ProcessExit } from '../ports/spawner';
import type { ExitReading } from './exit-cause';
import type { SupervisorLimits } from './limits';
import type { Machine } from './machine';

export interface SupervisorOptions {
  /** Which backend's process it is, for the log, the child records and the timeline. */
  kind: BackendId;
  /** Called at each step, so a changed setting applies at once. */
  limits(): SupervisorLimits;
  /** Is there a program to start? Called when the process becomes wanted or was absent. Missing = always yes. */
  locate?(): Promise<boolean>;
  /** What to start; called before each start. Null = the program is gone. A rejection is a failed start. */
  launch(): Promise<LaunchSpec | null>;
  /** Called with each new process, to read its output. */
  onSpawn(child: ChildHandle): void;
  /**
   * Resolves when the process is ready. Reports stages; `probing` only when it requires an answer, because an answer
   * closes the breaker. A rejection ends the process.
   */
  probe(signal: AbortSignal, onStage: (stage: 'loading' | 'probing') => void): Promise<void>;
  /** What the server's exit code means and what evidence its log contains. */
  readExit(exit: ProcessExit): ExitReading;
  /** Called after each exit that was not requested. False = a restart cannot help: only a person closes the breaker. */
  mayRecover?(cause: ExitCause): boolean;
  /**
   * Resolves when memory allows another start; called before each start with the cause of the last exit. Until it
   * resolves, the server counts as waiting for memory. Rejects when the signal aborts.
   */
  mayStart(signal: AbortSignal, cause: ExitCause | null): Promise<void>;
}

/** Why the last process ended. */
export interface LastExit {
  cause: ExitCause;
  /** Wall time in ms. */
  at: number;
  /** It hung because somebody had paused it, so no request is to blame. */
  outside: boolean;
}

/** Read-only view of the supervised process. */
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
