import { describe, expect, it } from 'vitest';
import {
  estimateFor,
  estimateMs,
  expectedRunMs,
  loadTimeoutMs,
  queueWaitMs,
  requestTimeoutMs,
  timesOf,
} from '../../../src/main/times/estimates';
import { MeasuredTimes } from '../../../src/main/times/measured-times';
import type { BackendId } from '../../../src/shared/domain';
import { defaultSettings } from '../../../src/shared/settings';
import { model as installed } from '../../support/scripted-backend';
import { seeded } from '../../support/seeded';

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
    expect(estimateFor(name)).toMatchObject({ load, per1k, margin, source });
  });

  it('prefers measured times, and the settings of the user over both', () => {
    const measured = new MeasuredTimes();
    measured.learn(QWEN, end(4000, 100), 2000);
    expect(estimateFor('qwen2.5:3b', {}, measured.of(QWEN))).toMatchObject({
      load: 4,
      per1k: 20,
      margin: 25,
      source: 'measured',
    });
    const user = { 'qwen2.5:3b': { load: 1, per1k: 2, margin: 3 } };
    expect(estimateFor('qwen2.5:3b', user, measured.of(QWEN))).toMatchObject({ load: 1, source: 'user' });
    expect(estimateFor('org/qwen2.5:3b', user)).toMatchObject({ source: 'user' });
  });

  it('uses the table for what was not measured', () => {
    const measured = new MeasuredTimes();
    measured.learn(QWEN, end(3, 2), 5);
    expect(estimateFor('qwen2.5:3b', {}, measured.of(QWEN))).toMatchObject({ source: 'table' });
    measured.learnLoad(QWEN, 2);
    expect(estimateFor('qwen2.5:3b', {}, measured.of(QWEN))).toMatchObject({
      load: 2,
      per1k: 12,
      source: 'measured',
    });
  });
});

const settings = defaultSettings();

describe('limits', () => {
  it('follow the product formula, at least 60 s', () => {
    expect(estimateMs({ load: 60, per1k: 40, margin: 60 }, 2000)).toBe(200_000);
    expect(estimateMs({ load: 10, per1k: 5, margin: 20 }, 100)).toBe(60_000);
  });

  it('are the larger of setting and estimate, at least 600 s for reasoning', () => {
    const heavy = estimateFor('qwen2.5-coder:32b');
    expect(requestTimeoutMs(settings, 'coding', heavy, 1000)).toBe(300_000);
    expect(requestTimeoutMs(settings, 'coding', heavy, 10_000)).toBe(520_000);
    expect(requestTimeoutMs(settings, 'reasoning', heavy, 1000)).toBe(600_000);
  });

  it('let a request wait as long as the slowest known model may take, at least 300 s', () => {
    expect(queueWaitMs(settings, [QWEN])).toBe(300_000);
    expect(queueWaitMs(settings, [QWEN, model('llama3.3:70b')])).toBe(485_760);
    expect(queueWaitMs({ ...settings, queueWaitTimeoutS: 7 }, [model('llama3.3:70b')])).toBe(7000);
    const measured = new MeasuredTimes();
    for (const perTokenMs of [200, 400, 200]) measured.learn(QWEN, end(0, 100), perTokenMs * 100);
    expect(queueWaitMs(settings, [QWEN], measured)).toBe((20 + 2.048 * 400 + 25) * 1000);
  });

  it('give a load its margin, and a learned one three times the slow ones', () => {
    const measured = new MeasuredTimes();
    expect(loadTimeoutMs(model('llama3.3:70b'), {}, measured)).toBe(240_000);
    expect(loadTimeoutMs(QWEN, {}, measured)).toBe(60_000);
    expect(loadTimeoutMs(QWEN, { 'qwen2.5:3b': { load: 70, per1k: 1, margin: 1 } }, measured)).toBe(71_000);
    for (const seconds of [20, 40, 20]) measured.learnLoad(QWEN, seconds);
    expect(loadTimeoutMs(QWEN, {}, measured)).toBe(145_000);
  });
});

describe('expected times', () => {
  it('are those of a typical answer when no length is requested', () => {
    const work = { promptTokens: 0, maxTokens: undefined, loaded: true };
    const estimate = { load: 60, per1k: 40, margin: 60, prefillPer1k: 4, source: 'table' as const };
    expect(expectedRunMs(estimate, work)).toBe(16_000);
    expect(expectedRunMs(estimate, { ...work, maxTokens: 10 })).toBe(400);
  });

  it('include the load of a model that is not loaded, and the prompt', () => {
    const measured = new MeasuredTimes();
    measured.learn(QWEN, { ...end(4000, 100), promptTokens: 1000, promptMs: 2000 }, 1000);
    const estimate = estimateFor(QWEN.name, {}, measured.of(QWEN));
    const work = { promptTokens: 500, maxTokens: 100, loaded: false };
    expect(expectedRunMs(estimate, work)).toBe(4000 + 1000 + 1000);
    expect(expectedRunMs(estimate, { ...work, loaded: true })).toBe(2000);
  });

  it('are never negative or NaN, whatever a server has reported', () => {
    const random = seeded(3);
    const odd = () =>
      [0, -5, Number.NaN, Number.POSITIVE_INFINITY, 1e-9, 1e12 * random()][Math.floor(random() * 6)] ?? 0;
    for (let round = 0; round < 500; round += 1) {
      const measured = new MeasuredTimes();
      for (let count = 0; count < 4; count += 1) {
        const told = { ...end(odd(), Math.floor(random() * 200)), promptTokens: Math.floor(random() * 9000) };
        measured.learn(QWEN, random() < 0.5 ? { ...told, promptMs: odd() } : told, odd());
        measured.learnLoad(QWEN, odd());
        measured.learnStep(QWEN, odd());
      }
      const work = {
        promptTokens: Math.floor(random() * 9000),
        maxTokens: undefined,
        loaded: random() < 0.5,
      };
      const figures = [measured.of(QWEN), measured.slowOf(QWEN)].flatMap((known) => {
        const estimate = estimateFor(QWEN.name, {}, known);
        return [expectedRunMs(estimate, work), estimateMs(estimate, 2048)];
      });
      figures.push(loadTimeoutMs(QWEN, {}, measured), queueWaitMs(settings, [QWEN], measured));
      figures.push(measured.slowestStepMs(QWEN) ?? 0);
      for (const figure of figures) expect(figure >= 0 && Number.isFinite(figure)).toBe(true);
    }
  });

  it('are shown with their source and the number of measurements', () => {
    const measured = new MeasuredTimes();
    measured.learn({ backend: 'ollama', name: 'small:3b' }, end(4000, 100), 2000);
    const models = [
      installed('mlx', 'small:3b', 3),
      installed('ollama', 'small:3b', 3),
      installed('ollama', 'mine:7b', 7),
      installed('ollama', 'far:cloud', 400, { remote: true }),
    ];
    const times = timesOf(models, { 'mine:7b': { load: 1, per1k: 2, margin: 3 } }, measured);
    expect(times).toEqual([
      {
        backend: 'mlx',
        name: 'small:3b',
        loadS: 20,
        per1kS: 12,
        prefillPer1kS: null,
        source: 'size',
        samples: 0,
      },
      {
        backend: 'ollama',
        name: 'small:3b',
        loadS: 4,
        per1kS: 20,
        prefillPer1kS: null,
        source: 'measured',
        samples: 2,
      },
      {
        backend: 'ollama',
        name: 'mine:7b',
        loadS: 1,
        per1kS: 2,
        prefillPer1kS: null,
        source: 'user',
        samples: 0,
      },
    ]);
  });
});
