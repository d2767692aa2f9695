import { PassThrough } from 'node:stream';
import { descendantsOf } from '../../src/main/ports/node-process-table';
import type {
  ChildHandle,
  LaunchSpec,
  ProcessExit,
  ProcessIdentity,
  ProcessTable,
  Spawner,
} from '../../src/main/ports/spawner';

/** A child process that a test controls. */
export class FakeChild implements ChildHandle {
  readonly pid: number;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly exited: Promise<ProcessExit>;
  /** Signals it received, in order. */
  readonly signals: NodeJS.Signals[] = [];
  /** Signals that end it. */
  obeys: NodeJS.Signals[] = ['SIGTERM', 'SIGKILL'];
  #settle: (exit: ProcessExit) => void = () => {};

  constructor(pid: number) {
    this.pid = pid;
    this.exited = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal);
    if (this.obeys.includes(signal)) this.exit(null, signal);
  }

  exit(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.#settle({ code, signal });
  }
}

export class FakeSpawner implements Spawner {
  readonly children: FakeChild[] = [];
  readonly specs: LaunchSpec[] = [];

  spawn(spec: LaunchSpec): FakeChild {
    const child = new FakeChild(1000 + this.children.length);
    this.specs.push(spec);
    this.children.push(child);
    return child;
  }

  get last(): FakeChild {
    const child = this.children.at(-1);
    if (!child) throw new Error('nothing was started');
    return child;
  }
}

/** Processes of a machine that does not exist; a signal to a group ends the processes that obey it. */
export class FakeProcessTable implements ProcessTable {
  readonly running = new Map<
    number,
    {
      startedAt: string;
      group: number;
      obeys: NodeJS.Signals[];
      parent?: number;
      cpuMs?: number;
      commandLine?: string;
      suspended?: boolean;
    }
  >();
  readonly signals: [number, NodeJS.Signals][] = [];

  add(pid: number, startedAt: string, group = pid, obeys: NodeJS.Signals[] = ['SIGTERM', 'SIGKILL']): this {
    this.running.set(pid, { startedAt, group, obeys });
    return this;
  }

  async identify(pid: number): Promise<ProcessIdentity | null> {
    const found = this.running.get(pid);
    return found ? { pid, startedAt: found.startedAt } : null;
  }

  async descendants(pid: number): Promise<number[]> {
    const rows = [...this.running].map(([child, { parent }]) => ({ pid: child, parent: parent ?? 0 }));
    return descendantsOf(pid, rows);
  }

  async residentBytes(): Promise<number | null> {
    return null;
  }

  async cpuMs(pid: number): Promise<number | null> {
    return this.running.get(pid)?.cpuMs ?? null;
  }

  async signal({ pid, startedAt }: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
    const found = this.running.get(pid);
    if (found?.startedAt !== startedAt) return false;
    if (found.obeys.includes(signal)) this.running.delete(pid);
    return true;
  }

  async commandLine(pid: number): Promise<string | null> {
    return this.running.get(pid)?.commandLine ?? null;
  }

  async isSuspended(pid: number): Promise<boolean> {
    return this.running.get(pid)?.suspended ?? false;
  }

  signalGroup(group: number, signal: NodeJS.Signals): void {
    this.signals.push([group, signal]);
    for (const [pid, found] of this.running) {
      if (found.group === group && found.obeys.includes(signal)) this.running.delete(pid);
    }
  }
}
