import type { Ledger } from '../../shared/status';
import { heldBytes } from './ledger-sums';

/** Limits that a server gets at its start, bytes. */
export interface StartLimits {
  memoryBytes: number;
  /** Freed buffers that it may keep for reuse. */
  bufferPoolBytes: number;
}

/** However full the machine is at the start, so much of the working set stays usable: a light model is never slowed. */
const LEAST_SHARE = 0.25;
const BUFFER_POOL_SHARE = 0.1;
/** Left to the system when a server wires memory: a peer settled on these after kernel panics. */
const UNWIRED_SHARE = 0.35;
const UNWIRED_BYTES = 8_000_000_000;

/**
 * What a server may use at most: all that is neither kept below the critical limit nor used by other programs, within
 * the GPU's working set. Memory of the other servers is not subtracted, because their models may be unloaded for it;
 * each request is still admitted by the guard. MLX's own limit would be one and a half working sets.
 */
export function startLimits(ledger: Ledger): StartLimits {
  const backends = new Set(ledger.entries.map(({ backend }) => backend));
  const servers = [...backends].reduce((sum, backend) => sum + (heldBytes(ledger, backend) ?? 0), 0);
  const others = Math.max(0, ledger.usedBytes - servers);
  const { workingSetBytes, criticalBytes } = ledger;
  const free = Math.min(workingSetBytes, criticalBytes - others);
  const memoryBytes = Math.floor(Math.max(workingSetBytes * LEAST_SHARE, free));
  return { memoryBytes, bufferPoolBytes: Math.floor(memoryBytes * BUFFER_POOL_SHARE) };
}

/** Bytes to wire for a percentage of memory: never above the total less 35 %, and less 8 GB. */
export function wiredBytes(percent: number, totalBytes: number): number {
  const most = totalBytes - Math.max(totalBytes * UNWIRED_SHARE, UNWIRED_BYTES);
  return Math.floor(Math.max(0, Math.min((totalBytes * percent) / 100, most)));
}
