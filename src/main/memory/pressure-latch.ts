/**
 * Hysteresis of critical memory: it begins with one sample and ends only when memory has really come back, so that
 * work is not let in and refused by turns at the limit.
 */
export interface PressureLatch {
  critical: boolean;
  /** Samples in a row below the level at which it may end. */
  calm: number;
}

export const RELAXED: PressureLatch = { critical: false, calm: 0 };

/** It ends this many points below the critical percentage … */
const LEAVE_POINTS = 3;
/** … held for so many samples, or at once below the warning. */
const LEAVE_SAMPLES = 3;

export interface PressureReading {
  usedPercent: number;
  /** Of the percentages and the kernel's level, the worse; `unknown` changes nothing. */
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
