import { describe, expect, it } from 'vitest';
import { nextLatch, type PressureReading, RELAXED } from '../../../src/main/memory/pressure-latch';

function reading(usedPercent: number): PressureReading {
  const pressure = usedPercent >= 95 ? 'critical' : usedPercent >= 85 ? 'warning' : 'normal';
  return { usedPercent, pressure, criticalPercent: 95 };
}

/** Whether pressure is critical after each of these samples. */
function course(...readings: PressureReading[]): boolean[] {
  let latch = RELAXED;
  return readings.map((next) => {
    latch = nextLatch(latch, next);
    return latch.critical;
  });
}

describe('pressure latch', () => {
  it.each<[string, number[], boolean[]]>([
    ['begins with one sample', [94, 95], [false, true]],
    ['does not end just below', [95, 94, 93, 94, 93], [true, true, true, true, true]],
    ['ends after three calm samples', [95, 92, 91, 92, 94], [true, true, true, false, false]],
    [
      'counts calm samples in a row only',
      [95, 92, 92, 94, 92, 92, 92],
      [true, true, true, true, true, true, false],
    ],
    ['ends at once below the warning', [96, 84], [true, false]],
    ['does not swing at the limit', [95, 94.9, 95, 94.9, 95], [true, true, true, true, true]],
  ])('%s', (_name, percents, expected) => {
    expect(course(...percents.map(reading))).toEqual(expected);
  });

  it('becomes critical by the kernel level alone', () => {
    expect(course({ usedPercent: 60, pressure: 'critical', criticalPercent: 95 })).toEqual([true]);
  });

  it('ignores a failed sample', () => {
    const blind = { usedPercent: 10, pressure: 'unknown' as const, criticalPercent: 95 };
    expect(course(reading(96), blind, blind, blind)).toEqual([true, true, true, true]);
  });
});
