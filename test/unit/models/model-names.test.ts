import { describe, expect, it } from 'vitest';
import { findByName, isSameModel, isSameName } from '../../../src/main/models/model-names';

describe('model names', () => {
  it.each([
    ['llama3', 'llama3:latest', true],
    ['Llama3:8B', 'llama3:8b', true],
    ['llama3', 'llama3:8b', false],
    ['hf.co/org/x:Q4', 'hf.co/org/x', false],
    ['localhost:5000/team/x', 'localhost:5000/team/x:latest', true],
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

  it('finds a model by a path’s last part', () => {
    const models = [{ name: 'one' }, { name: 'two' }];
    expect(findByName(models, '/models/mlx/two/')).toBe(models[1]);
    expect(findByName(models, 'three')).toBeUndefined();
  });
});
