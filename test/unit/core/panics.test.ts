import { expect, it } from 'vitest';
import { retreat } from '../../../src/main/core/panics';
import { nodeFileStore } from '../../../src/main/ports/file-store';
import { openSettings } from '../../../src/main/store/settings-store';
import { FakeClock } from '../../support/fake-clock';
import { tempDir } from '../../support/temp-dir';

const open = (env: Record<string, string> = {}) =>
  openSettings({
    ...{ dataDir: tempDir(), env, files: nodeFileStore, clock: new FakeClock() },
    isFolder: async () => true,
  });

it('resets wired memory and the number of slots after a panic, and nothing that is safe already', async () => {
  const settings = await open();
  expect(await retreat(settings)).toEqual({ changed: [], held: [] });
  await settings.set('mlxWiredPercent', 50);
  expect(await retreat(settings)).toEqual({ changed: ['MLX_WIRED_PERCENT 50 → 0'], held: [] });
  await settings.set('mlxMaxConcurrent', 4);
  expect(await retreat(settings)).toEqual({ changed: ['MLX_MAX_CONCURRENT 4 → 1'], held: [] });
  expect(settings.values()).toMatchObject({ mlxWiredPercent: 0, mlxMaxConcurrent: 1 });
});

it('names the variable that it cannot change', async () => {
  const settings = await open({ MLX_WIRED_PERCENT: '40' });
  expect(await retreat(settings)).toEqual({ changed: [], held: ['MLX_WIRED_PERCENT'] });
});
