import { expect, it } from 'vitest';
import { categoryModels } from '../../../src/main/router/category-models';
import type { RouteSnapshot } from '../../../src/main/router/types';
import { defaultSettings } from '../../../src/shared/settings';
import { routeBackend } from '../../support/backends';
import { model } from '../../support/scripted-backend';

function snapshot(changes: Partial<RouteSnapshot> = {}): RouteSnapshot {
  return {
    settings: defaultSettings(),
    backends: [routeBackend('mlx'), routeBackend('ollama')],
    models: [
      model('mlx', 'light-3b', 3),
      model('ollama', 'coder:32b', 32),
      model('ollama', 'general:32b', 32),
      model('ollama', 'embed', 0.1, { capabilities: ['embedding'] }),
    ],
    memory: 'normal',
    ...changes,
  };
}

it('each category has the model that the router would choose', () => {
  expect(categoryModels(snapshot())).toMatchObject({
    greeting: { backend: 'mlx', model: 'light-3b' },
    fast: { backend: 'mlx', model: 'light-3b' },
    coding: { backend: 'ollama', model: 'coder:32b' },
    general: { backend: 'ollama', model: 'general:32b' },
  });
});

it('a server that is down is not counted on, and a category may have no model', () => {
  const backends = [routeBackend('mlx', { state: 'backoff' }), routeBackend('ollama')];
  expect(categoryModels(snapshot({ backends })).greeting).toMatchObject({ backend: 'ollama' });
  const light = [model('mlx', 'light-3b', 3)];
  expect(categoryModels(snapshot({ models: light })).coding).toBeNull();
});
