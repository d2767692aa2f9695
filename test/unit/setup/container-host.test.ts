import { describe, expect, it } from 'vitest';
import { findContainerHost } from '../../../src/main/setup/container-host';

const HOST = 'http://host.docker.internal';
const known = async () => ({ address: '192.0.2.1' });
const unknown = async () => {
  throw new Error('ENOTFOUND');
};
const healthy = async () => new Response('{}');
const refused = async () => {
  throw new TypeError('fetch failed');
};

const inside = (path: string) => path === '/.dockerenv';

describe('findContainerHost', () => {
  it.each([
    ['nothing outside a container', { exists: () => false, resolve: known, fetcher: healthy }, null, null],
    ['nothing when the name is unknown', { exists: inside, resolve: unknown, fetcher: healthy }, null, null],
    [
      'both when the MLX API answers',
      { exists: inside, resolve: known, fetcher: healthy },
      `${HOST}:11435`,
      `${HOST}:11434`,
    ],
    [
      'a place to look for Ollama when it does not',
      { exists: inside, resolve: known, fetcher: refused },
      null,
      `${HOST}:11434`,
    ],
  ])('finds %s', async (_name, ports, mlx, ollama) => {
    expect(await findContainerHost({ env: {}, ...ports })).toEqual({ mlx, ollama });
  });

  it('accepts only a valid response as an MLX API', async () => {
    const fetcher = async () => new Response('no', { status: 404 });
    const found = await findContainerHost({
      env: { container: 'podman' },
      exists: () => false,
      resolve: known,
      fetcher,
    });
    expect(found.mlx).toBeNull();
  });
});
