import { describe, expect, it } from 'vitest';
import { guessedFor, nameFor } from '../../../../src/renderer/features/models/typed-name';
import { INSTANCES, MLX, OLLAMA } from '../../../support/backends';

describe('the name of a model as people give it', () => {
  it.each([
    ['  qwen3:8b ', 'qwen3:8b', 'qwen3:8b'],
    ['ollama pull qwen3:8b', 'qwen3:8b', 'qwen3:8b'],
    ['https://huggingface.co/a/b/', 'a/b', 'hf.co/a/b'],
    ['hf.co/a/b:Q4_K_M', 'a/b:Q4_K_M', 'hf.co/a/b:Q4_K_M'],
    ['', '', ''],
  ])('%s', (text, light, heavy) => {
    expect(nameFor(text, MLX)).toBe(light);
    expect(nameFor(text, OLLAMA)).toBe(heavy);
  });

  it.each([
    ['mlx-community/Qwen3-4B-4bit', 'mlx'],
    ['https://huggingface.co/mlx-community/Qwen3-4B-4bit', 'mlx'],
    ['someone/gemma-MLX', 'mlx'],
    ['someone/gemma', 'ollama'],
    ['mlx', 'ollama'],
    ['hf.co/someone/gemma-GGUF', 'ollama'],
    ['', 'ollama'],
  ])('is meant for a server: %s', (text, id) => {
    expect(guessedFor(text, INSTANCES)?.id).toBe(id);
  });

  it('is meant for the only server where there is one, and for none where there is none', () => {
    expect(guessedFor('qwen3:8b', [MLX])?.id).toBe('mlx');
    expect(guessedFor('qwen3:8b', [])).toBeUndefined();
  });
});
