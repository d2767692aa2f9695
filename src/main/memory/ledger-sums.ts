import { BACKEND_IDS, type BackendId } from '../../shared/domain';
import type { Ledger, LedgerEntry } from '../../shared/status';
import type { Account } from './ledger';

/** Kinds that are no part of what a server's inside holds now. */
const NOT_INSIDE: ReadonlySet<LedgerEntry['kind']> = new Set(['process', 'peak', 'promised']);

/** Bytes of a server, counted once: its processes, else the sum of what it tells of its inside. Null = unknown. */
export function heldBytes({ entries }: Ledger, backend: BackendId): number | null {
  const process = entries.find((entry) => entry.backend === backend && entry.kind === 'process');
  return process?.bytes ?? insideBytes(entries, backend);
}

/**
 * What a server has of the GPU: weights, caches and buffers where it tells them, else its whole processes (an upper
 * bound). Null = unknown.
 */
export function gpuBytes({ entries }: Ledger, backend: BackendId): number | null {
  const process = entries.find((entry) => entry.backend === backend && entry.kind === 'process');
  return insideBytes(entries, backend) ?? process?.bytes ?? null;
}

/** The GPU's part of all servers. What is unknown is left out, so that this is a lower bound then. */
export function gpuBytesOfAll(ledger: Ledger): number {
  return BACKEND_IDS.reduce((sum, backend) => sum + (gpuBytes(ledger, backend) ?? 0), 0);
}

/** What is promised and has not arrived yet. */
export function promisedBytes({ entries }: Ledger): number {
  return sumOf(entries.filter(({ kind }) => kind === 'promised'));
}

/** Buffers that the server keeps for its own next use: they serve a new cache without growth. */
export function spareBytes({ entries }: Ledger, backend: BackendId): number {
  return sumOf(entries.filter((entry) => entry.backend === backend && entry.kind === 'buffers'));
}

/** Used by everything now, with what the servers took since the last sample. */
export function usedNow({ ledger, grownBytes }: Account): number {
  return ledger.usedBytes + grownBytes;
}

function insideBytes(entries: readonly LedgerEntry[], backend: BackendId): number | null {
  const inside = entries.filter(({ backend: of, kind }) => of === backend && !NOT_INSIDE.has(kind));
  const known = inside.some(({ kind, bytes }) => kind === 'weights' && bytes !== null);
  return known && inside.every(({ bytes }) => bytes !== null) ? sumOf(inside) : null;
}

/** Of these together; what is unknown is left out. */
export function sumOf(entries: readonly LedgerEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}
