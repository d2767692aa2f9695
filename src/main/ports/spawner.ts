import type { Readable } from 'node:stream';

/** What to start. Never uses a shell. */
export interface LaunchSpec {
  command: string;
  args: readonly string[];
  /** Undefined values are left out. */
  env: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Text for its standard input, which is then closed; without it stdin stays open while we live. */
  input?: string;
  /** Append stdout and stderr to this file instead of pipes (Ollama dies or freezes on a lost or unread pipe). */
  logFile?: string;
}

export interface ProcessExit {
  /** Exit code, or null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Set when the process could not be started at all. */
  error?: Error;
}

/** A child process in its own process group. */
export interface ChildHandle {
  readonly pid: number | undefined;
  /** Null when the spec logs to a file. */
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Settles exactly once, never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Signals the whole process group; ignores a process that is already gone. */
  kill(signal: NodeJS.Signals): void;
}

export interface Spawner {
  spawn(spec: LaunchSpec): ChildHandle;
}

/** Identifies a process beyond its pid: pids are reused, start times are not. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque text from the OS (start ticks on Linux, `lstart` on macOS). */
  startedAt: string;
}

/** Inspects and signals processes that are not our children (left behind by a dead instance). */
export interface ProcessTable {
  /** Null when no such process lives. */
  identify(pid: number): Promise<ProcessIdentity | null>;
  /** Child processes, all generations. */
  descendants(pid: number): Promise<number[]>;
  /** Resident bytes (footprint on macOS); null = unknown. */
  residentBytes(pid: number): Promise<number | null>;
  /** CPU time used so far, user and system together, ms; null = unknown, or no such process lives. */
  cpuMs(pid: number): Promise<number | null>;
  /** The program and its arguments, separated by spaces; null = not reported, or no such process lives. */
  commandLine(pid: number): Promise<string | null>;
  /** Is it paused by a signal (SIGSTOP)? False when the OS does not report it. */
  isSuspended(pid: number): Promise<boolean>;
  /** Signals this one process; false when it no longer lives, even if its pid is in use again. */
  signal(process: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean>;
  signalGroup(pid: number, signal: NodeJS.Signals): void;
}
