import { expect, it } from 'vitest';
import { rowsOf } from '../../../src/main/core/backend-rows';
import { hasUseForSmallModel, isLocal } from '../../../src/main/core/route-facts';
import { defaultSettings, type Settings } from '../../../src/shared/settings';

it.each([
  [null, 'none', true],
  [null, 'managed', true],
  [null, 'remote', false],
  ['http://localhost:11434', 'none', true],
  ['http://[::1]:11434', 'adopted', true],
  ['http://192.0.2.7:11434', 'none', false],
] as const)('an Ollama at %s that is %s runs on this machine: %s', (ollamaUrl, ownership, expected) => {
  const [, row] = rowsOf({ ...defaultSettings(), ollamaUrl }, null);
  expect(row && isLocal(row, { ownership })).toBe(expected);
});

it('fetches the small model only where a server can use it', () => {
  const far = 'http://192.0.2.7:11434';
  const fits = (change: Partial<Settings>, mlxUrl: string | null, ollamaUrl: string | null) => {
    const values = { ...defaultSettings(), mlxUrl, ollamaUrl, ...change };
    return hasUseForSmallModel(values, rowsOf(values, null));
  };
  expect(fits({}, null, far)).toBe(true);
  expect(fits({}, far, null)).toBe(true);
  expect(fits({}, far, far)).toBe(false);
  expect(fits({ smallModelInAdopted: true }, far, far)).toBe(true);
  expect(fits({ useBackends: 'ollama' }, null, far)).toBe(false);
  expect(fits({ useBackends: 'mlx' }, null, far)).toBe(true);
});
