import { describe, expect, it } from 'vitest';
import { isSoundChunk, soundEnd } from '../../../src/main/router/sound-figures';
import { MeasuredTimes } from '../../../src/main/times/measured-times';
import type { CompletionChunk, CompletionEnd } from '../../../src/shared/completion';

const WRONG = ['abc', '12', 1e308, Number.POSITIVE_INFINITY, Number.NaN, -1, null, {}, [1]];

describe('figures of a server', () => {
  it.each(WRONG)('are left out when invalid: %j', (wrong) => {
    const told = {
      reason: 'stop',
      promptTokens: wrong,
      completionTokens: wrong,
      loadMs: wrong,
      promptMs: wrong,
      evalMs: wrong,
    } as unknown as CompletionEnd;
    expect(soundEnd(told)).toEqual({ reason: 'stop', promptTokens: 0, completionTokens: 0 });
    expect(isSoundChunk({ type: 'prefill', done: wrong, total: 10 } as CompletionChunk)).toBe(false);
  });

  it('pass when valid', () => {
    const end: CompletionEnd = {
      reason: 'length',
      promptTokens: 4096,
      completionTokens: 0,
      loadMs: 12_000.5,
      promptMs: 0,
      evalMs: 900,
    };
    expect(soundEnd(end)).toEqual(end);
    expect(isSoundChunk({ type: 'prefill', done: 0, total: 10 })).toBe(true);
    expect(isSoundChunk({ type: 'text', text: 'abc' })).toBe(true);
  });
});

describe('measured times', () => {
  const key = { backend: 'ollama', name: 'x' } as const;
  const bad = [1e308, Number.POSITIVE_INFINITY, Number.NaN, -5];

  it.each(bad)('do not learn %d, from whatever source', (wrong) => {
    const measured = new MeasuredTimes();
    measured.learnLoad(key, wrong);
    measured.learnStep(key, wrong);
    measured.learn(key, { reason: 'stop', promptTokens: 100, completionTokens: 100, loadMs: wrong }, wrong);
    expect(measured.of(key)).toBeNull();
  });

  it('use the cached part of a prompt, unless it is larger than the prompt', () => {
    const end = { reason: 'stop', promptTokens: 100, completionTokens: 1 } as const;
    expect(soundEnd({ ...end, cachedTokens: 90 }).cachedTokens).toBe(90);
    for (const wrong of [101, -1, 1.5, Number.NaN])
      expect(soundEnd({ ...end, cachedTokens: wrong }).cachedTokens).toBeUndefined();
  });

  it('drop invalid ones that an earlier version has stored', () => {
    const measured = new MeasuredTimes();
    const times = {
      fingerprint: null,
      load: [1e305, 3],
      per1k: [-1],
      prefillPer1k: [1e308],
      slowestStepMs: 1e308,
    };
    measured.restore({ 'ollama/x': times });
    expect(measured.of(key)).toEqual({ load: 3, per1k: null, prefillPer1k: null });
    expect(measured.slowestStepMs(key)).toBeNull();
  });
});
