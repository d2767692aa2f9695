import type { MemoryStatus } from '../../shared/status';

export interface MemoryPart {
  id: 'system' | 'mlx' | 'ollama';
  bytes: number;
  /** Share of all memory, 0–100. */
  percent: number;
  /** Tailwind class of its colour. */
  tone: string;
}

/**
 * Used memory as system + MLX + Ollama. Resident figures of the servers can exceed the used memory (shared and
 * file-backed pages), so each is clamped to the remainder, and the sum never exceeds the used share.
 */
export function memoryParts(memory: MemoryStatus): MemoryPart[] {
  const total = Math.max(1, memory.totalBytes);
  const used = Math.min(memory.usedBytes, total);
  const mlx = Math.min(memory.mlxBytes ?? 0, used);
  const ollama = Math.min(memory.ollamaBytes ?? 0, used - mlx);
  const share = (bytes: number) => (bytes / total) * 100;
  const parts: MemoryPart[] = [
    { id: 'system', bytes: used - mlx - ollama, percent: share(used - mlx - ollama), tone: 'bg-system' },
    { id: 'mlx', bytes: mlx, percent: share(mlx), tone: 'bg-mlx' },
    { id: 'ollama', bytes: ollama, percent: share(ollama), tone: 'bg-ollama' },
  ];
  return parts.filter((part) => part.bytes > 0);
}
