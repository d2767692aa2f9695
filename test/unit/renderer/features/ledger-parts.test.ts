import { describe, expect, it } from 'vitest';
import { ledgerView } from '../../../../src/renderer/features/status/ledger-parts';
import type { LedgerEntry } from '../../../../src/shared/status';
import { fakeLedger, ledgerEntry } from '../../../support/fake-snapshot';

const view = (entries: LedgerEntry[], usedBytes = 60) =>
  ledgerView(fakeLedger({ totalBytes: 100, usedBytes, entries }));
const shares = (entries: LedgerEntry[], usedBytes?: number) =>
  view(entries, usedBytes).parts.map(({ owner, kind, percent }) => [owner, kind, percent]);
const ollama = { backend: 'ollama' as const };

describe('ledgerView', () => {
  it('splits each server as far as it reports, and puts promised memory at the end', () => {
    const entries = [
      ledgerEntry({ kind: 'process', bytes: 20 }),
      ledgerEntry({ kind: 'weights', bytes: 12 }),
      ledgerEntry({ kind: 'kv_cache', bytes: 3 }),
      ledgerEntry({ ...ollama, kind: 'weights', bytes: 8, name: 'a' }),
      ledgerEntry({ ...ollama, kind: 'weights', bytes: 2, name: 'b' }),
      ledgerEntry({ ...ollama, kind: 'promised', bytes: 5 }),
    ];
    expect(shares(entries)).toEqual([
      ['system', 'system', 30],
      ['mlx', 'weights', 12],
      ['mlx', 'kv_cache', 3],
      ['mlx', 'rest', 5],
      ['ollama', 'weights', 10],
      ['ollama', 'promised', 5],
    ]);
    expect(view(entries).held).toEqual([
      { backend: 'mlx', bytes: 20 },
      { backend: 'ollama', bytes: 10 },
    ]);
  });

  it('shows a figure without a source as unknown, and leaves out a server without figures', () => {
    const { held, parts } = view([ledgerEntry({ kind: 'process', bytes: null })]);
    expect(held).toEqual([{ backend: 'mlx', bytes: null }]);
    expect(parts.map(({ owner }) => owner)).toEqual(['system']);
  });

  it('never shows more than the used memory, nor promises beyond the machine', () => {
    const entries = [
      ledgerEntry({ kind: 'process', bytes: 50 }),
      ledgerEntry({ ...ollama, kind: 'process', bytes: 50 }),
      ledgerEntry({ kind: 'promised', bytes: 900 }),
    ];
    const { parts, promisedBytes } = view(entries);
    expect(parts.reduce((sum, { percent }) => sum + percent, 0)).toBe(100);
    expect(promisedBytes).toBe(900);
  });
});
