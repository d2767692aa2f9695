import { describe, expect, it } from 'vitest';
import { MLX_BEHAVIOUR } from '../../../src/main/backends/mlx/mlx-backend';
import { OLLAMA_BEHAVIOUR } from '../../../src/main/backends/ollama/ollama-options';
import { ledgerAccount, type Promised, risingBetween, usedNow } from '../../../src/main/memory/ledger';
import {
  gpuBytes,
  gpuBytesOfAll,
  heldBytes,
  promisedBytes,
  spareBytes,
} from '../../../src/main/memory/ledger-sums';
import type { LoadedModel } from '../../../src/main/memory/types';
import { ledgerSchema } from '../../../src/shared/status';
import { account, figure, figures, GB, machine, model, NOW } from './figures';

const inside = { weights: figure(2), kvCache: figure(0.5), buffers: figure(0.3) };
const mlx = (process: number | null) => ({
  backend: 'mlx' as const,
  behaviour: MLX_BEHAVIOUR,
  figures: figures(process, inside),
  loaded: [model('small', 2)],
});
const promise = {
  backend: 'mlx' as const,
  model: 'next',
  bytes: 3 * GB,
  load: true,
  heldBefore: 1 * GB,
  usedBefore: null,
  at: NOW,
};

describe('ledger', () => {
  it('counts a process once, whatever it reports of its inside', () => {
    const { ledger } = ledgerAccount(machine(32, 12), [mlx(3)]);
    expect(heldBytes(ledger, 'mlx')).toBe(3 * GB);
    expect(gpuBytes(ledger, 'mlx')).toBe(2.8 * GB);
    expect(ledger.entries.map(({ kind }) => kind)).toEqual(['process', 'weights', 'kv_cache', 'buffers']);
  });

  it('reports the peak of the inside, and counts it nowhere', () => {
    const told = mlx(null);
    told.figures.peak = figure(9);
    const { ledger } = ledgerAccount(machine(32, 12), [told]);
    expect(ledger.entries.find(({ kind }) => kind === 'peak')?.bytes).toBe(9 * GB);
    expect([heldBytes(ledger, 'mlx'), gpuBytes(ledger, 'mlx')]).toEqual([2.8 * GB, 2.8 * GB]);
  });

  it('reserves what the caches of a server may still take, in no figure of what it holds', () => {
    const growing = mlx(3);
    growing.figures.mayGrow = figure(5);
    const { ledger } = ledgerAccount(machine(32, 12), [growing]);
    expect([promisedBytes(ledger), heldBytes(ledger, 'mlx'), gpuBytes(ledger, 'mlx')]).toEqual([
      5 * GB,
      3 * GB,
      2.8 * GB,
    ]);
  });

  it('counts the inside where the processes are not reported', () => {
    expect(heldBytes(ledgerAccount(machine(32, 12), [mlx(null)]).ledger, 'mlx')).toBe(2.8 * GB);
  });

  it('keeps an unknown figure as null and leaves it out of sums', () => {
    const { ledger } = ledgerAccount(machine(32, 12), [
      {
        backend: 'ollama',
        behaviour: OLLAMA_BEHAVIOUR,
        figures: figures(null),
        loaded: [model('a', null), model('b', 4)],
      },
    ]);
    expect(ledger.entries.map(({ bytes }) => bytes)).toEqual([null, null, 4 * GB]);
    expect(heldBytes(ledger, 'ollama')).toBeNull();
    expect(gpuBytesOfAll(ledger)).toBe(0);
  });

  it('has no entry for an absent server', () => {
    const { ledger } = ledgerAccount(machine(32, 12), [
      { backend: 'mlx', behaviour: MLX_BEHAVIOUR, figures: figures(null), loaded: [] },
    ]);
    expect(ledger.entries).toEqual([]);
    expect(heldBytes(ledger, 'mlx')).toBeNull();
  });

  it('subtracts from a promise what has arrived since', () => {
    const at = (process: number | null) =>
      promisedBytes(
        ledgerAccount(
          machine(32, 12),
          [{ backend: 'mlx', behaviour: MLX_BEHAVIOUR, figures: figures(process), loaded: [] }],
          [promise],
        ).ledger,
      );
    expect(at(1)).toBe(3 * GB);
    expect(at(2.5)).toBe(1.5 * GB);
    expect(at(9)).toBe(0);
    // Without a figure, nothing counts as arrived.
    expect(at(null)).toBe(3 * GB);
  });

  it('adds a foreign load, and not twice one that we promised', () => {
    const loading = model('next', 3, { ready: false });
    expect(promisedBytes(account(machine(32, 12), { mlx: [loading] }).ledger)).toBe(3 * GB);
    expect(promisedBytes(account(machine(32, 12), { mlx: [loading] }, [promise]).ledger)).toBe(1 * GB);
  });

  it('adds the growth of the servers since the sample', () => {
    const sampled = machine(32, 12, { backendBytes: { mlx: 1 * GB, ollama: 5 * GB } });
    expect(usedNow(ledgerAccount(sampled, [mlx(3)]))).toBe(14 * GB);
    expect(usedNow(ledgerAccount(machine(32, 12), [mlx(3)]))).toBe(12 * GB);
  });

  it('treats a load as complete when its model is there, whatever was evicted for it', () => {
    const load = {
      backend: 'ollama' as const,
      model: 'next',
      bytes: 9 * GB,
      load: true,
      heldBefore: 8 * GB,
      usedBefore: null,
      at: NOW,
    };
    const coming = (loaded: LoadedModel[]) =>
      promisedBytes(
        ledgerAccount(
          machine(32, 12),
          [{ backend: 'ollama', behaviour: OLLAMA_BEHAVIOUR, figures: figures(7), loaded }],
          [load],
        ).ledger,
      );
    expect(coming([])).toBe(9 * GB);
    expect(coming([model('next', 7)])).toBe(0);
    // The cache of the other kind of server is still to come.
    const mlxLoad = { ...load, backend: 'mlx' as const };
    const { ledger } = ledgerAccount(
      machine(32, 12),
      [{ backend: 'mlx', behaviour: MLX_BEHAVIOUR, figures: figures(7), loaded: [model('next', 7)] }],
      [mlxLoad],
    );
    expect(promisedBytes(ledger)).toBe(2 * GB);
  });

  it('reports how fast other programs take memory', () => {
    const before = machine(32, 12, { backendBytes: { mlx: 1 * GB, ollama: 5 * GB } });
    const rising = (used: number, mlx: number, arrived = 0) => {
      const now = machine(32, used, { backendBytes: { mlx: mlx * GB, ollama: 5 * GB } });
      return risingBetween(before, now, 2, arrived * GB);
    };
    expect(rising(16, 1)).toBe(2 * GB);
    // Neither promised memory that a server took nor memory that a load has taken counts.
    expect(rising(16, 4)).toBe(0.5 * GB);
    expect(rising(16, 1, 3)).toBe(0.5 * GB);
    expect(rising(16, 4, 9)).toBe(0);
    expect(rising(10, 1)).toBe(0);
  });

  describe('counts a load once', () => {
    const load = {
      ...promise,
      backend: 'ollama' as const,
      bytes: 23 * GB,
      heldBefore: 0,
      usedBefore: 24 * GB,
    };
    /** @param sampled the server's figure when the machine used `used`, @param held its current figure */
    const seen = (
      used: number,
      sampled: number | null,
      held: number | null,
      promised: Promised[] = [load],
    ) => {
      const status = machine(64, used, { backendBytes: { ollama: sampled === null ? null : sampled * GB } });
      const of = ledgerAccount(
        status,
        [{ backend: 'ollama', behaviour: OLLAMA_BEHAVIOUR, figures: figures(held), loaded: [] }],
        promised,
      );
      return [usedNow(of) / GB, promisedBytes(of.ledger) / GB, of.loadingBytes / GB];
    };

    it.each<[string, number, number | null, number | null, number[]]>([
      ['not begun', 24, 0, 0, [24, 23, 23]],
      ['the server has not reported since', 44, 0, 0, [44, 3, 3]],
      ['the server reports after the sample what is in it', 44, 0, 20, [44, 3, 3]],
      ['the server reports after the sample more than is in it', 34, 0, 20, [44, 3, 3]],
      ['both tell at the same moment', 44, 20, 20, [44, 3, 3]],
      ['other programs gave memory back', 40, 20, 20, [40, 3, 3]],
      ['the server reports nothing', 44, null, null, [44, 3, 3]],
    ])('%s', (_name, used, sampled, held, expected) => {
      expect(seen(used, sampled, held)).toEqual(expected);
    });

    it('by the servers alone while there are two, or while it only waits', () => {
      expect(seen(44, 0, 0, [load, { ...load, model: 'other' }])).toEqual([44, 46, 46]);
      const waiting = { ...load, heldBefore: null, usedBefore: null };
      expect(seen(44, 0, 0, [waiting])).toEqual([44, 23, 0]);
    });

    it('and no growth of others as the cache of a loaded model', () => {
      const status = machine(64, 44);
      const mlxLoad = { ...load, backend: 'mlx' as const, bytes: 3 * GB };
      const holder = {
        backend: 'mlx' as const,
        behaviour: MLX_BEHAVIOUR,
        figures: figures(2),
        loaded: [model('next', 2)],
      };
      expect(promisedBytes(ledgerAccount(status, [holder], [mlxLoad]).ledger)).toBe(1 * GB);
    });
  });

  describe('does not count growth of other programs as part of a load on a server that reports its memory', () => {
    const load = { ...promise, bytes: 6 * GB, heldBefore: 1 * GB, usedBefore: 10 * GB };
    /** @param sampled the server's figure when the machine used `used`, @param held its current figure */
    const end = (used: number, sampled: number | null, held: number | null) => {
      const status = machine(32, used, { backendBytes: { mlx: sampled === null ? null : sampled * GB } });
      const of = ledgerAccount(
        status,
        [{ backend: 'mlx', behaviour: MLX_BEHAVIOUR, figures: figures(held), loaded: [] }],
        [load],
      );
      return (usedNow(of) + promisedBytes(of.ledger)) / GB;
    };

    it.each<[string, number, number | null, number | null, number]>([
      ['nothing has come', 10, 1, 1, 16],
      ['half has come', 13, 4, 4, 16],
      // 4 GB are a browser's, and half a GB the load's: 5.5 are still to come.
      ['others grew meanwhile', 14.5, 1.5, 1.5, 20],
      ['others grew, and it reports more after the sample', 14.5, 1.5, 3, 20],
      ['others gave memory back', 9, 4, 4, 12],
      ['it reports nothing', 13, null, null, 19],
    ])('%s', (_name, used, sampled, held, expected) => {
      expect(end(used, sampled, held)).toBe(expected);
    });
  });

  it('uses the limits of the GPU, else three quarters of memory and of that', () => {
    expect(ledgerAccount(machine(48, 4), []).ledger.workingSetBytes).toBe(36 * GB);
    expect(ledgerAccount(machine(48, 4), []).bufferBytes).toBe(27 * GB);
    const told = figures(1);
    const device = { workingSet: figure(40), buffer: figure(22) };
    const known = ledgerAccount(machine(48, 4), [
      { backend: 'mlx', behaviour: MLX_BEHAVIOUR, figures: { ...told, device }, loaded: [] },
    ]);
    expect([known.ledger.workingSetBytes, known.bufferBytes]).toEqual([40 * GB, 22 * GB]);
  });

  it('includes the memory that a server keeps for reuse', () => {
    expect(spareBytes(ledgerAccount(machine(32, 12), [mlx(3)]).ledger, 'mlx')).toBe(0.3 * GB);
  });

  it('has the form of the contract', () => {
    expect(ledgerSchema.parse(ledgerAccount(machine(32, 12), [mlx(3)], [promise]).ledger)).toMatchObject({
      warningBytes: 27.2 * GB,
      criticalBytes: 30.4 * GB,
    });
  });
});
