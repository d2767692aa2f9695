import { describe, expect, it } from 'vitest';
import { MeasuredTimes, PrefillWatch } from '../../../src/main/times/measured-times';
import { Samples, slowestAfter } from '../../../src/main/times/samples';
import { model as installed } from '../../support/scripted-backend';
import { seeded } from '../../support/seeded';

const QWEN = { backend: 'ollama', name: 'qwen2.5:3b' } as const;
const end = (loadMs: number, completionTokens: number) => ({
  reason: 'stop' as const,
  promptTokens: 1,
  completionTokens,
  loadMs,
});

describe('what is measured', () => {
  it('ignores a warm look-up as a load and a single word as a speed, and reports no change then', () => {
    const measured = new MeasuredTimes();
    let changes = 0;
    measured.onChange(() => {
      changes += 1;
    });
    measured.learn(QWEN, end(3, 2), 5);
    expect(measured.of(QWEN)).toBeNull();
    expect(changes).toBe(0);
    measured.learn(QWEN, end(3, 100), 1000);
    expect(measured.of(QWEN)).toEqual({ load: null, per1k: 10, prefillPer1k: null });
    expect(changes).toBe(1);
  });

  it('separates the same name on two servers, and matches a name with and without its tag', () => {
    const measured = new MeasuredTimes();
    measured.learnLoad({ backend: 'mlx', name: 'm' }, 0.4);
    measured.learn({ backend: 'ollama', name: 'm' }, end(2000, 1), 0);
    expect(measured.of({ backend: 'mlx', name: 'm' })?.load).toBe(0.4);
    expect(measured.of({ backend: 'ollama', name: 'M:latest' })?.load).toBe(2);
  });

  it('learns the prompt from the server, else from the observed progress', () => {
    const watch = new PrefillWatch();
    watch.onChunk({ type: 'prefill', done: 64, total: 1512 }, 1000);
    expect(watch.measured()).toBeNull();
    watch.onChunk({ type: 'prefill', done: 1064, total: 1512 }, 3000);
    const measured = new MeasuredTimes();
    measured.learn(QWEN, end(0, 0), 0, watch.measured());
    expect(measured.of(QWEN)?.prefillPer1k).toBe(2);
    measured.learn(QWEN, { ...end(0, 0), promptTokens: 20, promptMs: 1 }, 0);
    expect(measured.of(QWEN)?.prefillPer1k).toBe(2);
  });

  it('learns nothing from the part of a prompt that was cached', () => {
    const measured = new MeasuredTimes();
    measured.learn(QWEN, { ...end(0, 0), promptTokens: 1000, cachedTokens: 990, promptMs: 40 }, 0);
    expect(measured.of(QWEN)?.prefillPer1k ?? null).toBeNull();
    measured.learn(QWEN, { ...end(0, 0), promptTokens: 1000, cachedTokens: 800, promptMs: 400 }, 0);
    expect(measured.of(QWEN)?.prefillPer1k).toBe(2);
  });

  it('adapts when a machine has really become slower', () => {
    const measured = new MeasuredTimes();
    for (let run = 0; run < 11; run += 1) measured.learnLoad(QWEN, 2);
    for (let run = 0; run < 5; run += 1) measured.learnLoad(QWEN, 20);
    expect(measured.of(QWEN)?.load).toBe(2);
    for (let run = 0; run < 2; run += 1) measured.learnLoad(QWEN, 20);
    expect(measured.of(QWEN)?.load).toBe(20);
  });

  it('relearns a model that was replaced under its name, and keeps one that is only not listed', () => {
    const measured = new MeasuredTimes();
    measured.learnLoad(QWEN, 2);
    measured.reconcile([installed('ollama', QWEN.name, 3, { sizeBytes: 2e9, quantisation: 'Q4_K_M' })]);
    measured.reconcile([]);
    expect(measured.of(QWEN)?.load).toBe(2);
    measured.reconcile([installed('ollama', QWEN.name, 3, { sizeBytes: 4e9, quantisation: 'Q8_0' })]);
    expect(measured.of(QWEN)).toBeNull();
  });

  it('forgets the models not used for longest', () => {
    const measured = new MeasuredTimes();
    for (let index = 0; index < 301; index += 1) {
      measured.learnLoad({ backend: 'mlx', name: `m${index}` }, 1);
      if (index > 0) measured.learnLoad({ backend: 'mlx', name: 'm0' }, 1);
    }
    expect(measured.of({ backend: 'mlx', name: 'm0' })).not.toBeNull();
    expect(measured.of({ backend: 'mlx', name: 'm1' })).toBeNull();
  });
});

/** Measurements of all kinds, within a clock's range and beyond. */
const anyNumber = (random: () => number) => {
  const kinds = [0, Number.NaN, Number.POSITIVE_INFINITY, -1, 1e-6 * random(), random(), 1e9 * random()];
  return kinds[Math.floor(random() * kinds.length)] ?? 0;
};

describe('robust estimates', () => {
  it('are never negative or NaN, and the slow end is never below the typical value', () => {
    const random = seeded(7);
    for (let round = 0; round < 300; round += 1) {
      const samples = new Samples();
      let step: number | null = null;
      for (let count = 0; count < 30; count += 1) {
        const value = anyNumber(random);
        samples.add(value);
        step = slowestAfter(step, value);
        for (const known of [samples.typical(), samples.slow(), step]) {
          if (known !== null) expect(known >= 0 && Number.isFinite(known)).toBe(true);
        }
        expect(samples.slow() ?? 0).toBeGreaterThanOrEqual(samples.typical() ?? 0);
        expect(samples.count).toBeLessThanOrEqual(11);
      }
    }
  });

  it('stay within the range of the others when one of at least three is wrong, however far', () => {
    const random = seeded(11);
    for (let round = 0; round < 500; round += 1) {
      const good = Array.from({ length: 3 + Math.floor(random() * 12) }, () => 5 + 5 * random());
      const at = Math.floor(random() * (good.length + 1));
      const samples = new Samples(good.toSpliced(at, 0, 10 ** (12 * random() - 6)));
      expect(samples.typical()).toBeGreaterThanOrEqual(5);
      expect(samples.typical()).toBeLessThanOrEqual(10);
      expect(samples.slow()).toBeLessThanOrEqual(40);
    }
  });

  it('are not changed by a second measurement alone', () => {
    const samples = new Samples([3]);
    samples.add(3000);
    expect(samples.typical()).toBe(3);
    expect(samples.slow()).toBe(12);
  });

  it('keep the slowest step in any case, and let one measurement raise it fourfold at most', () => {
    const model = { backend: 'mlx', name: 'm' } as const;
    const measured = new MeasuredTimes();
    let changes = 0;
    measured.onChange(() => {
      changes += 1;
    });
    expect(measured.slowestStepMs(model)).toBeNull();
    for (const ms of [1800, 20, Number.NaN, 20]) measured.learnStep(model, ms);
    expect(measured.slowestStepMs(model)).toBe(1800);
    expect(changes).toBe(1);
    measured.learnStep(model, 600_000);
    expect(measured.slowestStepMs(model)).toBe(7200);
    const other = { backend: 'mlx', name: 'other' } as const;
    measured.learnStep(other, 600_000);
    expect(measured.slowestStepMs(other)).toBe(30_000);
  });
});
