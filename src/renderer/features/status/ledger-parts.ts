import type { BackendId } from '../../../shared/domain';
import type { Ledger, LedgerEntry } from '../../../shared/status';

/** One piece of the ledger's bar. */
export interface LedgerPart {
  owner: 'system' | BackendId;
  /** `rest` is what the system counts for a server beyond what the server reports itself. */
  kind: 'system' | 'rest' | Exclude<LedgerEntry['kind'], 'peak'>;
  bytes: number;
  /** Share of all memory, 0–100. */
  percent: number;
}

export interface LedgerView {
  /** Left to right; their shares never sum to more than 100. */
  parts: LedgerPart[];
  /** Memory of each server; null = unknown. A server without any entry is left out. */
  held: { backend: BackendId; bytes: number | null }[];
  /** Memory of all other programs, and memory of the servers that no entry accounts for. */
  systemBytes: number;
  promisedBytes: number;
}

const INSIDE = ['weights', 'kv_cache', 'buffers'] as const;

function sum(entries: readonly LedgerEntry[]): number | null {
  const known = entries.flatMap(({ bytes }) => (bytes === null ? [] : [bytes]));
  return known.length === 0 ? null : known.reduce((total, bytes) => total + bytes, 0);
}

/**
 * The ledger as one bar: the rest of the machine, each server's memory (split as far as it reports), then the promised
 * memory. A server's figures may exceed the used memory (shared and file-backed pages), so each is clamped to the
 * remainder.
 */
export function ledgerView(ledger: Ledger): LedgerView {
  const total = Math.max(1, ledger.totalBytes);
  const used = Math.min(ledger.usedBytes, total);
  const part = (owner: LedgerPart['owner'], kind: LedgerPart['kind'], bytes: number): LedgerPart => ({
    owner,
    kind,
    bytes,
    percent: (bytes / total) * 100,
  });
  const held: LedgerView['held'] = [];
  const parts: LedgerPart[] = [];
  let left = used;
  const backends = new Set(ledger.entries.map(({ backend }) => backend));
  for (const backend of backends) {
    const own = ledger.entries.filter(
      ({ backend: of, kind }) => of === backend && kind !== 'promised' && kind !== 'peak',
    );
    if (own.length === 0) continue;
    const isProcess = ({ kind }: LedgerEntry) => kind === 'process';
    const bytes = sum(own.filter(isProcess)) ?? sum(own.filter((entry) => !isProcess(entry)));
    held.push({ backend, bytes });
    let share = Math.min(bytes ?? 0, left);
    left -= share;
    for (const kind of INSIDE) {
      const piece = Math.min(sum(own.filter((entry) => entry.kind === kind)) ?? 0, share);
      share -= piece;
      parts.push(part(backend, kind, piece));
    }
    parts.push(part(backend, 'rest', share));
  }
  let free = total - used;
  let promisedBytes = 0;
  for (const backend of backends) {
    const promised =
      sum(ledger.entries.filter((entry) => entry.backend === backend && entry.kind === 'promised')) ?? 0;
    promisedBytes += promised;
    const piece = Math.min(promised, free);
    free -= piece;
    parts.push(part(backend, 'promised', piece));
  }
  return {
    parts: [part('system', 'system', left), ...parts].filter(({ bytes }) => bytes > 0),
    held,
    systemBytes: left,
    promisedBytes,
  };
}
