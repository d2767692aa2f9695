import { describe, expect, it } from 'vitest';
import { wantedPreload } from '../../../src/main/models/preload';

describe('MLX_PRELOAD_MODELS', () => {
  it.each([
    ['fast', true, { kind: 'category', category: 'fast' }],
    ['coding', true, { kind: 'category', category: 'fast' }],
    ['coding', false, { kind: 'category', category: 'coding' }],
    ['default', false, { kind: 'category', category: 'general' }],
    ['fast, coding', false, { kind: 'category', category: 'fast' }],
    ['org/model-32b', false, { kind: 'model', name: 'org/model-32b' }],
    ['none', true, { kind: 'nothing' }],
    ['', false, { kind: 'nothing' }],
  ] as const)('%j with only light models %s', (mlxPreloadModels, mlxOnlyLight, wanted) => {
    expect(wantedPreload({ mlxPreloadModels, mlxOnlyLight })).toEqual(wanted);
  });
});
