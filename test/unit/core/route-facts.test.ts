import { expect, it } from 'vitest';
import { hasUseForSmallModel } from '../../../src/main/core/route-facts';
import { defaultSettings, type Settings } from '../../../src/shared/settings';

it('fetches the small model only where a server can use it', () => {
  const far = { url: 'http://192.0.2.7:11434' };
  const fits = (change: Partial<Settings>, mlx: typeof far | null, ollama: typeof far | null) =>
    hasUseForSmallModel({ ...defaultSettings(), ...change }, { mlx, ollama });
  expect(fits({}, null, far)).toBe(true);
  expect(fits({}, far, null)).toBe(true);
  expect(fits({}, far, far)).toBe(false);
  expect(fits({ smallModelInAdopted: true }, far, far)).toBe(true);
  expect(fits({ useBackends: 'ollama' }, null, far)).toBe(false);
  expect(fits({ useBackends: 'mlx' }, null, far)).toBe(true);
});
