import type { ProcessIdentity } from '../../ports/spawner';

/** A live process that has a model loaded, with its CPU time since its start. */
export interface Runner extends ProcessIdentity {
  cpuMs: number;
}

/** Snapshot of the processes that have models loaded. */
export type Pulse = readonly Runner[];

/** Has any of them computed, started or ended between the two snapshots? */
export function progressed(before: Pulse, now: Pulse): boolean {
  return before.length !== now.length || stillOf(before, now).length !== now.length;
}

/** Processes of `before` that are still alive and have computed nothing since. */
export function stillOf(before: Pulse, now: Pulse): Pulse {
  return before.filter((runner) =>
    now.some(
      ({ pid, startedAt, cpuMs }) =>
        pid === runner.pid && startedAt === runner.startedAt && cpuMs === runner.cpuMs,
    ),
  );
}
