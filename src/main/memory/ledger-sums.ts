import type { BackendId } from '../../shared/domain';
import type { Ledger, LedgerEntry } from '../../shared/status';

/** Kinds that are not part of a server's own breakdown of its memory now. */
const NOT_INSIDE: ReadonlySet<LedgerEntry['kind']> = new Set(['process', 'peak', 'promised']);

/** Bytes of a server, counted once: its processes, else the sum of the parts it reports. Null = unknown. */
export function heldBytes({ entries }: Ledger, backend: BackendId): number | null {
  const process = entries.find((entry) => entry.backend === backend && entry.kind === 'process');
  return process?.bytes ?? insideBytes(entries, backend);
}

/**
 * A server's GPU memory: weights, caches and buffers if it reports them, else its whole processes (an upper bound).
 * Null = unknown.
 */
export function gpuBytes({ entries }: Ledger, backend: BackendId): number | null {
  const process = entries.find((entry) => entry.backend === backend && entry.kind === 'process');
  return insideBytes(entries, backend) ?? process?.bytes ?? null;
}

/** GPU memory of all servers. Unknown figures are left out; the sum is then a lower bound. */
export function gpuBytesOfAll(ledger: Ledger): number {
  const backends = new Set(ledger.entries.map(({ backend }) => backend));
  return [...backends].reduce((sum, backend) => sum + (gpuBytes(ledger, backend) ?? 0), 0);
}

/** Bytes that are promised and have not arrived yet. */
export function promisedBytes({ entries }: Ledger): number {
  return sumOf(entries.filter(({ kind }) => kind === 'promised'));
}

/** Buffers that the server keeps for reuse: a new cache takes them without growth. */
export function spareBytes({ entries }: Ledger, backend: BackendId): number {
  return sumOf(entries.filter((entry) => entry.backend === backend && entry.kind === 'buffers'));
}

function insideBytes(entries: readonly LedgerEntry[], backend: BackendId): number | null {
  const inside = entries.filter(({ backend: of, kind }) => of === backend && !NOT_INSIDE.has(kind));
  const known = inside.some(({ kind, bytes }) => kind === 'weights' && bytes !== null);
  return known && inside.every(({ bytes }) => bytes !== null) ? sumOf(inside) : null;
}

/** The sum of these; unknown figures are left out. */
export function sumOf(entries: readonly LedgerEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}
