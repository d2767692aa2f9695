import type { Logger } from '../ports/logger';
import type { ChildHandle, ProcessTable } from '../ports/spawner';
import type { ChildRecords } from './sweep';

interface FamilyPorts {
  table: ProcessTable;
  records: Pick<ChildRecords, 'put' | 'remove'>;
  logger: Logger;
}

/** A supervised process and its own children: their record on disk and their memory. */
export class ProcessFamily {
  readonly #kind: string;
  readonly #ports: FamilyPorts;
  /** Pid of the leader that is recorded on disk. */
  #recorded: number | null = null;

  constructor(kind: string, ports: FamilyPorts) {
    this.#kind = kind;
    this.#ports = ports;
  }

  /**
   * Records the process and its children for the sweep after a kill -9 of this one, unless the child is no longer
   * current. Records a fresh leader before looking up its children: a kill in between would leave it running unknown.
   * Never rejects: a process also runs without its record.
   */
  async record(child: ChildHandle, isCurrent: () => boolean): Promise<void> {
    const { table, records } = this.#ports;
    if (child.pid === undefined) return;
    try {
      const identity = await table.identify(child.pid);
      if (!identity || !isCurrent()) return;
      if (this.#recorded !== child.pid) {
        this.#recorded = child.pid;
        await records.put({ kind: this.#kind, ...identity, descendants: [] });
      }
      const pids = await table.descendants(child.pid);
      const found = await Promise.all(pids.map((pid) => table.identify(pid)));
      if (!isCurrent()) return;
      const descendants = found.filter((each) => each !== null);
      await records.put({ kind: this.#kind, ...identity, descendants });
    } catch (error) {
      this.#logFailure(error);
    }
  }

  /** Call when the leader has exited. Never rejects. */
  async forget(pid: number): Promise<void> {
    if (this.#recorded === pid) this.#recorded = null;
    await this.#ports.records.remove(pid).catch((error) => this.#logFailure(error));
  }

  /** Resident bytes of a process and its children; null when the OS does not report them. */
  async residentBytes(pid: number): Promise<number | null> {
    const { table } = this.#ports;
    const pids = [pid, ...(await table.descendants(pid))];
    const bytes = await Promise.all(pids.map((each) => table.residentBytes(each)));
    const known = bytes.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  }

  #logFailure(error: unknown): void {
    this.#ports.logger.warn('process.record-failed', {
      code: (error as NodeJS.ErrnoException).code ?? 'unknown',
    });
  }
}
