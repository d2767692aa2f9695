/**
 * Hysteresis of critical memory: it begins with one sample and ends only when memory has recovered. Without it, work at
 * the limit would be admitted and refused alternately.
 */
export interface PressureLatch {
  critical: boolean;
  /** Consecutive samples below the level at which it may end. */
  calm: number;
}

export const RELAXED: PressureLatch = { critical: false, calm: 0 };

/** Critical ends this many points below the critical percentage … */
const LEAVE_POINTS = 3;
/** … after so many samples in a row, or at once below the warning. */
const LEAVE_SAMPLES = 3;

export interface PressureReading {
  usedPercent: number;
  /** The worse of the percentages and the kernel's level; `unknown` changes nothing. */
  pressure: 'normal' | 'warning' | 'critical' | 'unknown';
  criticalPercent: number;
}

export function nextLatch(latch: PressureLatch, reading: PressureReading): PressureLatch {
  const { pressure, usedPercent, criticalPercent } = reading;
  if (pressure === 'unknown') return latch;
  if (pressure === 'critical') return { critical: true, calm: 0 };
  if (!latch.critical || pressure === 'normal') return RELAXED;
  const calm = usedPercent <= criticalPercent - LEAVE_POINTS ? latch.calm + 1 : 0;
  return calm >= LEAVE_SAMPLES ? RELAXED : { critical: true, calm };
}
