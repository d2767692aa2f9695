import type { Logger } from '../ports/logger';
import type { ChildHandle, ProcessTable } from '../ports/spawner';
import type { ChildRecords } from './sweep';

interface FamilyPorts {
  table: ProcessTable;
  records: Pick<ChildRecords, 'put' | 'remove'>;
  logger: Logger;
}

/** A supervised process together with the children that it started itself: their record on disk and their memory. */
export class ProcessFamily {
  readonly #kind: string;
  readonly #ports: FamilyPorts;
  /** Pid of the leader that is written down. */
  #recorded: number | null = null;

  constructor(kind: string, ports: FamilyPorts) {
    this.#kind = kind;
    this.#ports = ports;
  }

  /**
   * Writes them down for the sweep after a kill -9 of this process, unless the child has been given up meanwhile. A
   * fresh leader is written down before its children are looked up: until then it would be left behind unknown.
   * Never rejects: a process runs on without its record.
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

  /** To be called when the leader has gone. Never rejects. */
  async forget(pid: number): Promise<void> {
    if (this.#recorded === pid) this.#recorded = null;
    await this.#ports.records.remove(pid).catch((error) => this.#logFailure(error));
  }

  /** Resident bytes of a process and its children; null when the OS does not tell. */
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
