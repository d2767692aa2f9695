import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryMonitor } from '../../../src/main/memory/memory-monitor';
import { createMemorySampler, runCommand } from '../../../src/main/memory/memory-sampler';
import { isNoticeable, pressureOf } from '../../../src/main/memory/pressure';
import type { MemorySample } from '../../../src/main/memory/types';
import { silentLogger } from '../../../src/main/ports/logger';
import type { MemoryStatus } from '../../../src/shared/status';
import { FakeClock } from '../../support/fake-clock';

const THRESHOLDS = { warningPercent: 85, criticalPercent: 95 };

function sampleOf(percent: number, kernelLevel: MemorySample['kernelLevel'] = null): MemorySample {
  return { totalBytes: 1000, usedBytes: percent * 10, kernelLevel, source: 'vm_stat' };
}

function monitor() {
  const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
  const state = {
    next: async (): Promise<MemorySample> => sampleOf(50),
    taken: 0,
    warnings: [] as string[],
    mlx: 100 as number | null,
    thresholds: THRESHOLDS,
  };
  const memory = new MemoryMonitor({
    sampler: {
      sample: () => {
        state.taken += 1;
        return state.next();
      },
    },
    clock,
    logger: { ...silentLogger, warn: (event) => state.warnings.push(event) },
    thresholds: () => state.thresholds,
    backendBytes: () => ({ mlx: state.mlx, ollama: null }),
  });
  onTestFinished(() => memory.stop());
  const told: (MemoryStatus | null)[] = [];
  memory.onChange((status) => told.push(status));
  return { clock, memory, state, told };
}

describe('pressureOf', () => {
  it.each([
    [84.9, null, 'normal'],
    [85, null, 'warning'],
    [95, null, 'critical'],
    [10, 1, 'normal'],
    [10, 2, 'warning'],
    [10, 4, 'critical'],
    [90, 1, 'warning'],
    [96, 2, 'critical'],
  ] as const)('%d %% at kernel level %j is %s', (percent, level, expected) => {
    expect(pressureOf(sampleOf(percent, level), THRESHOLDS)).toBe(expected);
  });
});

describe('MemoryMonitor', () => {
  it('reports each sample, also small changes and a failed one', async () => {
    const { clock, memory, state } = monitor();
    const told: (number | undefined)[] = [];
    memory.onSample((status) => told.push(status?.usedPercent));
    memory.start();
    await clock.advance(5_000);
    state.next = () => Promise.reject(new Error('no figures'));
    await clock.advance(5_000);
    expect(told).toHaveLength(3);
    expect(new Set(told).size).toBe(1);
    memory.stop();
  });

  it('samples at once, then every 5 s, and not at all when stopped', async () => {
    const { clock, memory, state } = monitor();
    expect(memory.status()).toBeNull();
    memory.start();
    await clock.advance(0);
    expect(state.taken).toBe(1);
    await clock.advance(10_000);
    expect(state.taken).toBe(3);
    memory.stop();
    await clock.advance(60_000);
    expect(state.taken).toBe(3);
    expect(clock.pending).toBe(0);
  });

  it('reports the whole picture', async () => {
    const { memory, state } = monitor();
    state.next = async () => sampleOf(86);
    expect(await memory.sampleNow()).toEqual({
      totalBytes: 1000,
      usedBytes: 860,
      usedPercent: 86,
      pressure: 'warning',
      warningPercent: 85,
      criticalPercent: 95,
      backendBytes: { mlx: 100, ollama: null },
      source: 'vm_stat',
      at: Date.parse('2026-01-01T00:00:00Z'),
    });
  });

  it('applies a changed threshold at the next sample', async () => {
    const { memory, state } = monitor();
    expect((await memory.sampleNow())?.pressure).toBe('normal');
    state.thresholds = { warningPercent: 40, criticalPercent: 95 };
    expect((await memory.sampleNow())?.pressure).toBe('warning');
  });

  it('never runs two samples at once', async () => {
    const { clock, memory, state } = monitor();
    let finish: (sample: MemorySample) => void = () => {};
    state.next = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    memory.start();
    const joined = memory.sampleNow();
    await clock.advance(60_000);
    expect(state.taken).toBe(1);
    finish(sampleOf(50));
    expect((await joined)?.usedPercent).toBe(50);
  });

  it('is unknown after a failed sample, never zero, and reports it once', async () => {
    const { memory, state, told } = monitor();
    state.next = () => Promise.reject(new Error('no vm_stat'));
    expect(await memory.sampleNow()).toBeNull();
    await memory.sampleNow();
    expect(state.warnings).toEqual(['memory_sample_failed']);
    state.next = async () => sampleOf(50);
    await memory.sampleNow();
    state.next = () => Promise.reject(new Error('no vm_stat'));
    expect(await memory.sampleNow()).toMatchObject({ pressure: 'unknown', usedPercent: 50 });
    expect(told.map((status) => status?.pressure)).toEqual(['normal', 'unknown']);
  });

  it('reports only noticeable changes', async () => {
    const { memory, state, told } = monitor();
    for (const percent of [50, 50.2, 50.4, 50.6, 50.6]) {
      state.next = async () => sampleOf(percent);
      await memory.sampleNow();
    }
    expect(told.map((status) => status?.usedPercent)).toEqual([50, 50.6]);
    state.mlx = 102;
    await memory.sampleNow();
    expect(told).toHaveLength(2);
    state.mlx = 110;
    await memory.sampleNow();
    state.mlx = null;
    await memory.sampleNow();
    expect(told.map((status) => status?.backendBytes.mlx)).toEqual([100, 100, 110, null]);
  });
});

describe('isNoticeable', () => {
  it('two unknown values are equal', () => {
    expect(isNoticeable(null, null)).toBe(false);
  });
});

describe('createMemorySampler', () => {
  it('rejects on an unknown system', async () => {
    const sampler = createMemorySampler('win32', { readText: async () => null });
    await expect(sampler.sample()).rejects.toThrow('win32');
  });

  it('returns the output of a program even if it failed, and rejects when there is none', async () => {
    const program = "process.stdout.write('hw.memsize: 1\\n'); process.exitCode = 1";
    expect(await runCommand(process.execPath, ['-e', program])).toBe('hw.memsize: 1\n');
    await expect(runCommand(process.execPath, ['-e', 'process.exit(1)'])).rejects.toThrow();
    await expect(runCommand('/no/such/program', [])).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
