import { describe, expect, it } from 'vitest';
import {
  estimateFor,
  estimateMs,
  expectedRunMs,
  MeasuredTimes,
  queueWaitMs,
  requestTimeoutMs,
} from '../../../src/main/router/estimates';
import type { BackendId } from '../../../src/shared/domain';
import { defaultSettings } from '../../../src/shared/settings';

const end = (loadMs: number | undefined, completionTokens: number) => ({
  reason: 'stop' as const,
  promptTokens: 1,
  completionTokens,
  loadMs,
});

const model = (name: string, backend: BackendId = 'ollama') => ({ backend, name });
const QWEN = model('qwen2.5:3b');

describe('estimateFor', () => {
  const cases: [name: string, load: number, per1k: number, margin: number, source: string][] = [
    ['command-r-plus:104b', 180, 180, 120, 'table'],
    ['llama3.3:70b', 120, 120, 120, 'table'],
    ['qwen2.5-coder:32b', 60, 40, 60, 'table'],
    ['phi3.5:3.8b', 25, 15, 30, 'table'],
    ['org/phi3.5-mini-4k', 25, 15, 30, 'table'],
    ['tinyllama:1.1b-chat', 10, 5, 20, 'table'],
    ['mlx-community/Some-Model-72B-4bit', 120, 120, 120, 'size'],
    ['Qwen3-32B', 60, 40, 60, 'size'],
    ['gemma:3.8b-x', 25, 15, 30, 'size'],
    ['llama3.2:3b', 20, 12, 25, 'size'],
    ['llama3.2:1b', 10, 5, 20, 'size'],
    ['x:13b', 60, 40, 60, 'default'],
    ['mystery:latest', 60, 40, 60, 'default'],
  ];
  it.each(cases)('%s', (name, load, per1k, margin, source) => {
    expect(estimateFor(name)).toEqual({ load, per1k, margin, source });
  });

  it('prefers what was measured, and the user’s word over both', () => {
    const measured = new MeasuredTimes();
    measured.learn(QWEN, end(4000, 100), 2000);
    expect(estimateFor('qwen2.5:3b', {}, measured.of(QWEN))).toEqual({
      load: 4,
      per1k: 20,
      margin: 25,
      source: 'measured',
    });
    const user = { 'qwen2.5:3b': { load: 1, per1k: 2, margin: 3 } };
    expect(estimateFor('qwen2.5:3b', user, measured.of(QWEN))).toMatchObject({ load: 1, source: 'user' });
    expect(estimateFor('org/qwen2.5:3b', user)).toMatchObject({ source: 'user' });
  });

  it('takes neither a warm look-up for a load nor a word for a speed', () => {
    const measured = new MeasuredTimes();
    measured.learn(QWEN, end(3, 2), 5);
    expect(estimateFor('qwen2.5:3b', {}, measured.of(QWEN))).toMatchObject({ source: 'table' });
  });

  it('keeps the same name in two servers apart, and takes a load that a server tells of', () => {
    const measured = new MeasuredTimes();
    measured.learnLoad(model('m', 'mlx'), 0.4);
    measured.learn(model('m'), end(2000, 1), 0);
    expect(measured.of(model('m', 'mlx'))).toEqual({ load: 0.4, per1k: null });
    expect(measured.of(model('m'))).toEqual({ load: 2, per1k: null });
  });

  it('moves with later measurements', () => {
    const measured = new MeasuredTimes();
    measured.learn(model('m'), end(10_000, 100), 1000);
    measured.learn(model('m'), end(20_000, 100), 2000);
    expect(measured.of(model('m'))).toEqual({ load: 13, per1k: 13 });
  });
});

describe('limits', () => {
  const settings = defaultSettings();

  it('follow the formula of the product, at least 60 s', () => {
    expect(estimateMs({ load: 60, per1k: 40, margin: 60 }, 2000)).toBe(200_000);
    expect(estimateMs({ load: 10, per1k: 5, margin: 20 }, 100)).toBe(60_000);
  });

  it('are the larger of setting and estimate, 600 s at least for reasoning', () => {
    const heavy = estimateFor('qwen2.5-coder:32b');
    expect(requestTimeoutMs(settings, 'coding', heavy, 1000)).toBe(300_000);
    expect(requestTimeoutMs(settings, 'coding', heavy, 10_000)).toBe(520_000);
    expect(requestTimeoutMs(settings, 'reasoning', heavy, 1000)).toBe(600_000);
  });

  it('let a request wait as long as the slowest known model may take, at least 300 s', () => {
    expect(queueWaitMs(settings, [QWEN])).toBe(300_000);
    expect(queueWaitMs(settings, [QWEN, model('llama3.3:70b')])).toBe(485_760);
    expect(queueWaitMs({ ...settings, queueWaitTimeoutS: 7 }, [model('llama3.3:70b')])).toBe(7000);
  });

  it('expect a typical answer when no length is asked for', () => {
    expect(expectedRunMs({ load: 60, per1k: 40, margin: 60 }, undefined)).toBe(16_000);
    expect(expectedRunMs({ load: 60, per1k: 40, margin: 60 }, 10)).toBe(400);
  });
});
