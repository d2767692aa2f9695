import { describe, expect, it } from 'vitest';
import { ReachableModels } from '../../../src/main/chat/reachable-models';
import type { BackendId, ModelInfo } from '../../../src/shared/domain';

const model = (backend: BackendId, name: string, capabilities = ['completion']) =>
  ({ backend, name, capabilities, small: name === 'small', remote: false }) as ModelInfo;

describe('ReachableModels', () => {
  const SMALL = [model('mlx', 'small'), model('ollama', 'small')];

  it('reports a model when its backend comes up, and not again while it stays up', () => {
    const models = new ReachableModels();
    expect(models.update(SMALL, () => false)).toBe(false);
    expect(models.update(SMALL, (backend) => backend === 'mlx')).toBe(true);
    expect(models.update(SMALL, (backend) => backend === 'mlx')).toBe(false);
    expect(models.update(SMALL, () => true)).toBe(true);
  });

  it('reports one that returned, and none that cannot chat', () => {
    const models = new ReachableModels();
    expect(models.update(SMALL, () => true)).toBe(true);
    expect(models.update([], () => true)).toBe(false);
    expect(models.update([model('ollama', 'embedder', ['embedding'])], () => true)).toBe(false);
    expect(models.update(SMALL, () => true)).toBe(true);
  });
});
