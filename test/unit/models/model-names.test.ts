import { describe, expect, it } from 'vitest';
import { findByName, isSameModel, isSameName, withName } from '../../../src/main/models/model-names';

describe('model names', () => {
  it.each([
    ['llama3', 'llama3:latest', true],
    ['Llama3:8B', 'llama3:8b', true],
    ['llama3', 'llama3:8b', false],
    ['hf.co/org/x:Q4', 'hf.co/org/x', false],
    ['localhost:5000/team/x', 'localhost:5000/team/x:latest', true],
    ['caf\u00e9', 'cafe\u0301', true],
    [' spaced', 'spaced', true],
  ])('%s and %s are the same name: %s', (a, b, same) => {
    expect(isSameName(a, b)).toBe(same);
  });

  it.each([
    ['mlx-community/Qwen2.5-Coder-32B-Instruct-4bit', 'qwen2.5-coder:32b', true],
    ['mlx-community/Qwen2.5-Coder-32B-Instruct-4bit', 'qwen2.5-coder:14b', false],
    ['org/Llama-3.2-3B-Instruct-bf16', 'llama-3.2:3b', true],
    ['qwen2.5:32b', 'qwen2.5-coder:32b', false],
    ['tandem-smollm2-135m', 'tandem-smollm2-135m:latest', true],
  ])('%s and %s are the same model: %s', (a, b, same) => {
    expect(isSameModel(a, b)).toBe(same);
  });

  it('finds the model of exactly this name before others of the same name', () => {
    const models = ['Qwen', 'qwen', 'caf\u00e9', 'cafe\u0301', 'm:latest', 'm'].map((name) => ({ name }));
    for (const model of models) expect(withName(models, model.name)).toEqual([model]);
    expect(withName(models, 'QWEN')).toEqual(models.slice(0, 2));
    expect(findByName(models, 'cafe\u0301')).toBe(models[3]);
  });

  it('finds a model by a path’s last part', () => {
    const models = [{ name: 'one' }, { name: 'two' }];
    expect(findByName(models, '/models/mlx/two/')).toBe(models[1]);
    expect(findByName(models, 'three')).toBeUndefined();
  });
});
