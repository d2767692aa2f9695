import type { MemoryStatus } from '../../shared/status';
import type { MemorySample } from './types';

export interface MemoryThresholds {
  /** Percent of the total, 0–100. */
  warningPercent: number;
  criticalPercent: number;
}

/** Used share in percent, rounded to one decimal. */
export function usedPercent({
  usedBytes,
  totalBytes,
}: Pick<MemorySample, 'usedBytes' | 'totalBytes'>): number {
  return Math.round((usedBytes / totalBytes) * 1000) / 10;
}

/** The worse of the level by percent and the kernel's own level. */
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
/** A backend's memory counts as changed from this share of the total on. */
const NOTICEABLE_SHARE = 0.005;

/** Is the difference worth reporting? Small drifts of the figures are not. */
export function isNoticeable(before: MemoryStatus | null, after: MemoryStatus | null): boolean {
  if (before === null || after === null) return before !== after;
  return (
    before.pressure !== after.pressure ||
    before.totalBytes !== after.totalBytes ||
    before.source !== after.source ||
    before.warningPercent !== after.warningPercent ||
    before.criticalPercent !== after.criticalPercent ||
    Math.abs(before.usedPercent - after.usedPercent) >= NOTICEABLE_PERCENT ||
    Object.entries(after.backendBytes).some(([backend, bytes]) =>
      bytesDiffer(before.backendBytes[backend] ?? null, bytes, after.totalBytes),
    )
  );
}

function bytesDiffer(before: number | null, after: number | null, total: number): boolean {
  if (before === null || after === null) return before !== after;
  return Math.abs(before - after) >= total * NOTICEABLE_SHARE;
}
