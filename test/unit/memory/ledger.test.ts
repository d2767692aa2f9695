import { describe, expect, it } from 'vitest';
import {
  accountOf,
  gpuBytes,
  gpuBytesOfAll,
  heldBytes,
  promisedBytes,
  risingBetween,
  spareBytes,
  usedNow,
} from '../../../src/main/memory/ledger';
import type { LoadedModel } from '../../../src/main/memory/types';
import { ledgerSchema } from '../../../src/shared/status';
import { account, figure, figures, GB, machine, model, NOW } from './figures';

const inside = { weights: figure(2), kvCache: figure(0.5), buffers: figure(0.3) };
const mlx = (process: number | null) => ({
  backend: 'mlx' as const,
  figures: figures(process, inside),
  loaded: [model('small', 2)],
});
const promise = {
  backend: 'mlx' as const,
  model: 'next',
  bytes: 3 * GB,
  load: true,
  heldBefore: 1 * GB,
  at: NOW,
};

describe('ledger', () => {
  it('counts a process once, whatever it tells of its inside', () => {
    const { ledger } = accountOf(machine(32, 12), [mlx(3)]);
    expect(heldBytes(ledger, 'mlx')).toBe(3 * GB);
    expect(gpuBytes(ledger, 'mlx')).toBe(2.8 * GB);
    expect(ledger.entries.map(({ kind }) => kind)).toEqual(['process', 'weights', 'kv_cache', 'buffers']);
  });

  it('counts the inside where the processes are not told', () => {
    expect(heldBytes(accountOf(machine(32, 12), [mlx(null)]).ledger, 'mlx')).toBe(2.8 * GB);
  });

  it('keeps what is not told as null and leaves it out of sums', () => {
    const { ledger } = accountOf(machine(32, 12), [
      { backend: 'ollama', figures: figures(null), loaded: [model('a', null), model('b', 4)] },
    ]);
    expect(ledger.entries.map(({ bytes }) => bytes)).toEqual([null, null, 4 * GB]);
    expect(heldBytes(ledger, 'ollama')).toBeNull();
    expect(gpuBytesOfAll(ledger)).toBe(0);
  });

  it('has no entry for a server that is not here', () => {
    const { ledger } = accountOf(machine(32, 12), [{ backend: 'mlx', figures: figures(null), loaded: [] }]);
    expect(ledger.entries).toEqual([]);
    expect(heldBytes(ledger, 'mlx')).toBeNull();
  });

  it('takes off a promise what has arrived since', () => {
    const at = (process: number | null) =>
      promisedBytes(
        accountOf(machine(32, 12), [{ backend: 'mlx', figures: figures(process), loaded: [] }], [promise])
          .ledger,
      );
    expect(at(1)).toBe(3 * GB);
    expect(at(2.5)).toBe(1.5 * GB);
    expect(at(9)).toBe(0);
    // Without a figure nothing counts as arrived.
    expect(at(null)).toBe(3 * GB);
  });

  it('adds a load that others began, and not twice one that we promised', () => {
    const loading = model('next', 3, { ready: false });
    expect(promisedBytes(account(machine(32, 12), { mlx: [loading] }).ledger)).toBe(3 * GB);
    expect(promisedBytes(account(machine(32, 12), { mlx: [loading] }, [promise]).ledger)).toBe(1 * GB);
  });

  it('adds to a sample what the servers have grown since', () => {
    const sampled = machine(32, 12, { mlxBytes: 1 * GB, ollamaBytes: 5 * GB });
    expect(usedNow(accountOf(sampled, [mlx(3)]))).toBe(14 * GB);
    expect(usedNow(accountOf(machine(32, 12), [mlx(3)]))).toBe(12 * GB);
  });

  it('knows that a load has come when its model is there, whatever was given up for it', () => {
    const load = {
      backend: 'ollama' as const,
      model: 'next',
      bytes: 9 * GB,
      load: true,
      heldBefore: 8 * GB,
      at: NOW,
    };
    const coming = (loaded: LoadedModel[]) =>
      promisedBytes(
        accountOf(machine(32, 12), [{ backend: 'ollama', figures: figures(7), loaded }], [load]).ledger,
      );
    expect(coming([])).toBe(9 * GB);
    expect(coming([model('next', 7)])).toBe(0);
    // The cache of the other kind of server is still to come.
    const mlxLoad = { ...load, backend: 'mlx' as const };
    const { ledger } = accountOf(
      machine(32, 12),
      [{ backend: 'mlx', figures: figures(7), loaded: [model('next', 7)] }],
      [mlxLoad],
    );
    expect(promisedBytes(ledger)).toBe(2 * GB);
  });

  it('tells how fast other programs take memory', () => {
    const before = machine(32, 12, { mlxBytes: 1 * GB, ollamaBytes: 5 * GB, at: NOW - 2000 });
    const now = (used: number, mlx: number) => machine(32, used, { mlxBytes: mlx * GB, ollamaBytes: 5 * GB });
    expect(risingBetween(before, now(16, 1))).toBe(2 * GB);
    // What a server took was promised.
    expect(risingBetween(before, now(16, 4))).toBe(0.5 * GB);
    expect(risingBetween(before, now(10, 1))).toBe(0);
    expect(risingBetween(before, before)).toBe(0);
  });

  it('takes limits from the GPU, else three quarters of memory and of that', () => {
    expect(accountOf(machine(48, 4), []).ledger.workingSetBytes).toBe(36 * GB);
    expect(accountOf(machine(48, 4), []).bufferBytes).toBe(27 * GB);
    const told = figures(1);
    const device = { workingSet: figure(40), buffer: figure(22) };
    const known = accountOf(machine(48, 4), [{ backend: 'mlx', figures: { ...told, device }, loaded: [] }]);
    expect([known.ledger.workingSetBytes, known.bufferBytes]).toEqual([40 * GB, 22 * GB]);
  });

  it('knows what a server keeps for its next use', () => {
    expect(spareBytes(accountOf(machine(32, 12), [mlx(3)]).ledger, 'mlx')).toBe(0.3 * GB);
  });

  it('has the form of the contract', () => {
    expect(ledgerSchema.parse(accountOf(machine(32, 12), [mlx(3)], [promise]).ledger)).toMatchObject({
      warningBytes: 27.2 * GB,
      criticalBytes: 30.4 * GB,
    });
  });
});
