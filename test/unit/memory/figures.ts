import { MLX_BEHAVIOUR } from '../../../src/main/backends/mlx/mlx-backend';
import { OLLAMA_BEHAVIOUR } from '../../../src/main/backends/ollama/ollama-options';
import { type HolderFigures, ledgerAccount, type Promised } from '../../../src/main/memory/ledger';
import type { Figure, LoadedModel, MemoryFigures } from '../../../src/main/memory/types';
import type { MemoryStatus } from '../../../src/shared/status';

export const GB = 1e9;
/** Wall time of all figures in these tests. */
export const NOW = 1_000_000;

export function figure(gigabytes: number | null, source = 'test'): Figure {
  return { bytes: gigabytes === null ? null : gigabytes * GB, source, at: NOW };
}

export function machine(totalGb: number, usedGb: number, more: Partial<MemoryStatus> = {}): MemoryStatus {
  const usedPercent = (usedGb / totalGb) * 100;
  return {
    totalBytes: totalGb * GB,
    usedBytes: usedGb * GB,
    usedPercent,
    pressure: usedPercent >= 95 ? 'critical' : usedPercent >= 85 ? 'warning' : 'normal',
    warningPercent: 85,
    criticalPercent: 95,
    backendBytes: { mlx: null, ollama: null },
    source: 'vm_stat',
    at: NOW,
    ...more,
  };
}

export function figures(
  process: number | null,
  inside: Partial<MemoryFigures['inside']> = {},
): MemoryFigures {
  return {
    process: figure(process),
    inside: { weights: null, kvCache: null, buffers: null, ...inside },
    peak: null,
    device: { workingSet: null, buffer: null },
  };
}

/** A model of ours that has been idle for a minute, unless overridden. */
export function model(name: string, gigabytes: number | null, more: Partial<LoadedModel> = {}): LoadedModel {
  const idle = { ready: true, ours: true, active: 0, lastUsedAt: NOW - 60_000 };
  return { name, size: figure(gigabytes), ...idle, ...more };
}

export function account(
  machineStatus: MemoryStatus,
  servers: { mlx?: LoadedModel[]; ollama?: LoadedModel[] } = {},
  promised: Promised[] = [],
) {
  const holders: HolderFigures[] = [
    {
      backend: 'mlx',
      behaviour: MLX_BEHAVIOUR,
      figures: figures(sum(servers.mlx)),
      loaded: servers.mlx ?? [],
    },
    {
      backend: 'ollama',
      behaviour: OLLAMA_BEHAVIOUR,
      figures: figures(sum(servers.ollama)),
      loaded: servers.ollama ?? [],
    },
  ];
  return ledgerAccount(machineStatus, holders, promised);
}

function sum(models: readonly LoadedModel[] = []): number {
  return models.reduce((total, { size }) => total + (size.bytes ?? 0), 0) / GB;
}
