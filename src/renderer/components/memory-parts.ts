import type { BackendId } from '../../shared/domain';
import type { MemoryStatus } from '../../shared/status';

export interface MemoryPart {
  id: 'system' | BackendId;
  bytes: number;
  /** Share of all memory, 0–100. */
  percent: number;
}

/**
 * Used memory as the system and each backend. Resident figures of the servers can exceed the used memory (shared and
 * file-backed pages), so each is clamped to the remainder, and the sum never exceeds the used share.
 */
export function memoryParts(memory: MemoryStatus): MemoryPart[] {
  const total = Math.max(1, memory.totalBytes);
  let left = Math.min(memory.usedBytes, total);
  const part = (id: MemoryPart['id'], bytes: number) => ({ id, bytes, percent: (bytes / total) * 100 });
  const servers = Object.entries(memory.backendBytes).map(([id, held]) => {
    const bytes = Math.min(held ?? 0, left);
    left -= bytes;
    return part(id, bytes);
  });
  return [part('system', left), ...servers].filter(({ bytes }) => bytes > 0);
}
