import type { MemoryStatus } from '../../shared/status';
import type { MemorySample } from './types';

export interface MemoryThresholds {
  /** Percent of the total, 0–100. */
  warningPercent: number;
  criticalPercent: number;
}

/** Used share in percent with one decimal. */
export function usedPercent({
  usedBytes,
  totalBytes,
}: Pick<MemorySample, 'usedBytes' | 'totalBytes'>): number {
  return Math.round((usedBytes / totalBytes) * 1000) / 10;
}

/** Critical or warning by percent or by the kernel's own level, whichever is worse. */
export function pressureOf(
  sample: MemorySample,
  thresholds: MemoryThresholds,
): 'normal' | 'warning' | 'critical' {
  const percent = usedPercent(sample);
  if (percent >= thresholds.criticalPercent || sample.kernelLevel === 4) return 'critical';
  if (percent >= thresholds.warningPercent || sample.kernelLevel === 2) return 'warning';
  return 'normal';
}

const NOTICEABLE_PERCENT = 0.5;
/** A backend's share counts as changed from this part of the total on. */
const NOTICEABLE_SHARE = 0.005;

/** Is the difference worth telling anybody? Everything but small drifts of the figures is. */
export function isNoticeable(before: MemoryStatus | null, after: MemoryStatus | null): boolean {
  if (before === null || after === null) return before !== after;
  return (
    before.pressure !== after.pressure ||
    before.totalBytes !== after.totalBytes ||
    before.source !== after.source ||
    before.warningPercent !== after.warningPercent ||
    before.criticalPercent !== after.criticalPercent ||
    Math.abs(before.usedPercent - after.usedPercent) >= NOTICEABLE_PERCENT ||
    bytesDiffer(before.mlxBytes, after.mlxBytes, after.totalBytes) ||
    bytesDiffer(before.ollamaBytes, after.ollamaBytes, after.totalBytes)
  );
}

function bytesDiffer(before: number | null, after: number | null, total: number): boolean {
  if (before === null || after === null) return before !== after;
  return Math.abs(before - after) >= total * NOTICEABLE_SHARE;
}
