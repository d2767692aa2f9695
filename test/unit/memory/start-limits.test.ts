import { describe, expect, it } from 'vitest';
import { startLimits, wiredBytes } from '../../../src/main/memory/start-limits';
import type { Ledger, LedgerEntry } from '../../../src/shared/status';

const GB = 1_000_000_000;

function ledger(usedGb: number, ...processes: [string, number][]): Ledger {
  const entries = processes.map(
    ([backend, gb]): LedgerEntry => ({
      ...{ backend, kind: 'process', name: null, bytes: gb * GB, source: 'proc', at: 0 },
    }),
  );
  return {
    ...{ totalBytes: 64 * GB, usedBytes: usedGb * GB, workingSetBytes: 48 * GB },
    ...{ warningBytes: 54 * GB, criticalBytes: 60 * GB, pressure: 'normal', entries, lastDecision: null },
  };
}

describe('the limits of MLX at its start', () => {
  it.each([
    ['an empty machine: the working set', ledger(8), 48],
    ['other programs take more than the system leaves', ledger(25), 35],
    ["another server's model may be unloaded for it", ledger(45, ['ollama', 30]), 45],
    ['a full machine still leaves a quarter of the working set', ledger(63), 12],
  ])('%s', (_name, now, gb) => {
    expect(startLimits(now)).toEqual({ memoryBytes: gb * GB, bufferPoolBytes: (gb * GB) / 10 });
  });
});

describe('wired memory', () => {
  it.each([
    [0, 64, 0],
    [50, 64, 32],
    [65, 64, 41.6],
    [65, 512, 332.8],
    // 8 GB are more than 35 % here.
    [65, 16, 8],
    [40, 16, 6.4],
    [65, 8, 0],
  ])('%i %% of %i GB: %d GB', (percent, totalGb, gb) => {
    expect(wiredBytes(percent, totalGb * GB)).toBe(gb * GB);
  });
});
