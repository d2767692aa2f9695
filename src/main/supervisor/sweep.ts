import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type Clock, sleep } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { ProcessIdentity, ProcessTable } from '../ports/spawner';

const identitySchema = z.object({ pid: z.number().int().min(2), startedAt: z.string().min(1) });
const recordSchema = identitySchema.extend({
  /** Kind of command, for the log. */
  kind: z.string().max(40),
  /** Its own children (a model runner outlives a killed server). */
  descendants: z.array(identitySchema),
});
const fileSchema = z.object({ version: z.literal(1), children: z.array(recordSchema) });

export type ChildRecord = z.infer<typeof recordSchema>;

/** The children of this instance in a file, so that the next instance can end what a killed one left running. */
export class ChildRecords {
  readonly #file: string;
  #children: ChildRecord[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** @param file usually `<dataDir>/children.json`; written atomically, mode 0600 */
  constructor(file: string) {
    this.#file = file;
  }

  /** What the previous instance left in the file; an unreadable file counts as empty. */
  async left(): Promise<ChildRecord[]> {
    try {
      return fileSchema.parse(JSON.parse(await readFile(this.#file, 'utf8'))).children;
    } catch {
      return [];
    }
  }

  /** Adds a child, or replaces its record. */
  put(record: ChildRecord): Promise<void> {
    const known = this.#children.find(({ pid }) => pid === record.pid);
    if (JSON.stringify(known) === JSON.stringify(record)) return this.#writing;
    this.#children = [...this.#children.filter(({ pid }) => pid !== record.pid), record];
    return this.#write();
  }

  remove(pid: number): Promise<void> {
    this.#children = this.#children.filter((child) => child.pid !== pid);
    return this.#write();
  }

  /** Removes the previous instance's records after the sweep. */
  clear(): Promise<void> {
    return this.#write();
  }

  /** Resolves when all writes are done. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => {});
  }

  #write(): Promise<void> {
    this.#writing = this.#writing.catch(() => {}).then(() => this.#replace());
    return this.#writing;
  }

  async #replace(): Promise<void> {
    const temporary = `${this.#file}.new`;
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    await writeFile(temporary, JSON.stringify({ version: 1, children: this.#children }), { mode: 0o600 });
    await rename(temporary, this.#file);
  }
}

export interface SweepPorts {
  table: ProcessTable;
  clock: Clock;
  logger: Logger;
}

/**
 * Ends what a dead instance left running: SIGTERM to the group, grace period, SIGKILL. A process is signalled only when
 * its pid **and** its start time match the record; names are never compared.
 *
 * A group is known to be ours while one recorded member lives: the OS does not reuse a group number that is in use.
 *
 * @returns how many recorded children had live processes
 */
export async function sweepOrphans(
  records: ChildRecords,
  ports: SweepPorts,
  graceMs = 2000,
): Promise<number> {
  const left = await records.left();
  const swept = await Promise.all(left.map((record) => sweepOne(record, ports, graceMs)));
  await records.clear();
  return swept.filter(Boolean).length;
}

async function sweepOne(record: ChildRecord, ports: SweepPorts, graceMs: number): Promise<boolean> {
  const { table, clock, logger } = ports;
  const members = [record, ...record.descendants];
  if (!(await anyAlive(members, table))) return false;
  // A runner started after the record was written is in the same group.
  if (await anyAlive([record], table)) members.push(...(await descendantsOf(record.pid, table)));
  logger.warn('orphan.sweep', { kind: record.kind, pid: record.pid });
  table.signalGroup(record.pid, 'SIGTERM');
  const end = clock.now() + graceMs;
  while (await anyAlive(members, table)) {
    if (clock.now() >= end) {
      table.signalGroup(record.pid, 'SIGKILL');
      break;
    }
    await sleep(clock, 50);
  }
  return true;
}

async function descendantsOf(pid: number, table: ProcessTable): Promise<ProcessIdentity[]> {
  const found = await Promise.all((await table.descendants(pid)).map((each) => table.identify(each)));
  return found.filter((identity) => identity !== null);
}

async function anyAlive(members: readonly ProcessIdentity[], table: ProcessTable): Promise<boolean> {
  for (const { pid, startedAt } of members) {
    if ((await table.identify(pid))?.startedAt === startedAt) return true;
  }
  return false;
}
