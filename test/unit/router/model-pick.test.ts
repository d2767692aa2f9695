import { describe, expect, it } from 'vitest';
import { NO_REQUIREMENTS, pickModel } from '../../../src/main/router/model-pick';
import { MODEL_TABLE, sizeClassOf } from '../../../src/main/router/model-table';
import type { RouteSnapshot } from '../../../src/main/router/types';
import { CATEGORIES, type Category, type ModelInfo } from '../../../src/shared/domain';
import { defaultSettings, type Settings } from '../../../src/shared/settings';
import { routeBackend } from '../../support/backends';
import { model } from '../../support/scripted-backend';

const snapshot = (models: ModelInfo[], settings: Partial<Settings> = {}): RouteSnapshot => {
  const values = { ...defaultSettings(), ...settings };
  return {
    settings: values,
    backends: ['mlx', 'ollama'].map((id) => routeBackend(id, {}, values)),
    models,
    memory: 'normal',
  };
};

const INSTALLED = [
  model('ollama', 'qwen2.5-coder:7b', 7.6),
  model('ollama', 'qwen2.5-coder:32b', 32.8),
  model('ollama', 'deepseek-r1:32b', 32.8),
  model('ollama', 'qwen2.5:32b', 32.8),
  model('ollama', 'llama3.3:70b', 70.6),
  model('ollama', 'phi3.5:3.8b', 3.8),
  model('ollama', 'llama3.2:3b', 3.2),
  model('mlx', 'org/Phi-3.5-mini-instruct-4bit', 3.8),
  model('mlx', 'org/Qwen2.5-32B-Instruct-4bit', 32.8),
];

describe('the table of models', () => {
  it('has a row for every category, with every size class once', () => {
    for (const category of CATEGORIES) {
      expect([...MODEL_TABLE[category].sizes].sort()).toEqual([
        'heavy',
        'huge',
        'light',
        'middle',
        'unknown',
      ]);
    }
    expect([null, 0.002, 4, 7, 32, 63, 64, 104].map(sizeClassOf)).toEqual([
      'unknown',
      'light',
      'light',
      'middle',
      'heavy',
      'heavy',
      'huge',
      'huge',
    ]);
  });

  const best: [Category, string, string][] = [
    ['greeting', 'phi3.5:3.8b', 'org/Phi-3.5-mini-instruct-4bit'],
    ['fast', 'phi3.5:3.8b', 'org/Phi-3.5-mini-instruct-4bit'],
    ['coding', 'qwen2.5-coder:32b', 'org/Phi-3.5-mini-instruct-4bit'],
    ['reasoning', 'deepseek-r1:32b', 'org/Phi-3.5-mini-instruct-4bit'],
    ['general', 'qwen2.5:32b', 'org/Phi-3.5-mini-instruct-4bit'],
    ['data_question', 'qwen2.5:32b', 'org/Phi-3.5-mini-instruct-4bit'],
  ];
  it.each(best)('picks the best installed for %s', (category, ollama, mlx) => {
    expect(pickModel('ollama', category, snapshot(INSTALLED), NO_REQUIREMENTS)?.name).toBe(ollama);
    expect(pickModel('mlx', category, snapshot(INSTALLED), NO_REQUIREMENTS)?.name).toBe(mlx);
  });

  it('allows heavy models on MLX only if they are enabled there, and never for small talk', () => {
    const allowed = snapshot(INSTALLED, { mlxOnlyLight: false });
    expect(pickModel('mlx', 'coding', allowed, NO_REQUIREMENTS)?.name).toBe('org/Qwen2.5-32B-Instruct-4bit');
    expect(pickModel('mlx', 'fast', allowed, NO_REQUIREMENTS)?.name).toBe('org/Phi-3.5-mini-instruct-4bit');
  });

  it('prefers models that fit this machine', () => {
    const tooLarge = INSTALLED.map(
      (entry): ModelInfo => ({
        ...entry,
        fit: (entry.billions ?? 0) >= 32 ? 'no' : 'yes',
      }),
    );
    expect(pickModel('ollama', 'coding', snapshot(tooLarge), NO_REQUIREMENTS)?.name).toBe('qwen2.5-coder:7b');
    const only = tooLarge.filter(({ name }) => name === 'qwen2.5:32b');
    expect(pickModel('ollama', 'coding', snapshot(only), NO_REQUIREMENTS)?.name).toBe('qwen2.5:32b');
  });

  it('obeys the choice of the user, also by the name of a second copy', () => {
    const chosen = snapshot(INSTALLED, { ollamaModelCoding: 'llama3.3:70b' });
    expect(pickModel('ollama', 'coding', chosen, NO_REQUIREMENTS)?.name).toBe('llama3.3:70b');
    const twice = [model('mlx', 'small-3b', 3, { aliases: ['org/small-3b'] }), ...INSTALLED];
    const byAlias = snapshot(twice, { mlxModelFast: 'org/small-3b' });
    expect(pickModel('mlx', 'fast', byAlias, NO_REQUIREMENTS)?.name).toBe('small-3b');
  });
});
