import { beforeEach, expect, test } from 'vitest';
import { MlxMemory } from '../../../src/main/backends/mlx/mlx-memory';
import { initialStatus } from '../../../src/main/backends/status-board';
import type { BackendStatus } from '../../../src/shared/status';
import { FakeClock } from '../../support/fake-clock';
import { memLine } from '../../support/launcher-lines';

const START = Date.UTC(2026, 0, 1);
const listening = { event: 'listening', port: 1, pid: 2, version: '0.32.2' } as const;

let clock: FakeClock;
let memory: MlxMemory;
let status: BackendStatus;

beforeEach(() => {
  clock = new FakeClock(new Date(START));
  status = { ...initialStatus('mlx', 10), pid: 7, model: 'm' };
  memory = new MlxMemory(clock, () => status);
});

function told(event: Parameters<MlxMemory['onLauncher']>[0]): void {
  memory.onLauncher(event, (folder) => folder.slice(1));
}

test('all figures are unknown before the launcher reports, and none is 0', () => {
  const none = { weights: null, kvCache: null, buffers: null };
  expect(memory.figures()).toMatchObject({ process: { bytes: null }, inside: none, peak: null });
  expect(memory.figures().device).toEqual({ workingSet: null, buffer: null });
  told({ ...listening, working_set: null, buffer: null });
  told(memLine({ footprint: 0, rss: 0 }));
  expect(memory.figures()).toMatchObject({ process: { bytes: null }, device: { workingSet: null } });
});

test('memory beyond the weights is cache; each figure has the time of its line', async () => {
  told({ ...listening, working_set: 96e9, buffer: 72e9 });
  told({ event: 'loading', model: '/m' });
  told({ event: 'loaded', model: '/m', seconds: 2, active: 4e9 });
  await clock.advance(3_000);
  told(memLine({ active: 5e9, cache: 1e9, peak: 6e9, footprint: 7e9, rss: 3e9, cached_bytes: 2e8 }));
  await clock.advance(60_000);
  const at = START + 3_000;
  const figure = (bytes: number) => ({ bytes, source: 'launcher', at });
  expect(memory.figures()).toEqual({
    process: figure(7e9),
    inside: { weights: figure(4e9), kvCache: figure(1e9), buffers: figure(1e9) },
    peak: figure(6e9),
    device: { workingSet: figure(96e9), buffer: figure(72e9) },
  });
  expect(memory.peakBytes()).toBe(6e9);
});

test('a load reports the weights at once, not only with the next line', async () => {
  told(memLine({ active: 8, cache: 0, footprint: 7e8 }));
  await clock.advance(5_000);
  told({ event: 'loaded', model: '/m', seconds: 2, active: 4e9 });
  const at = START + 5_000;
  expect(memory.figures().inside).toMatchObject({ weights: { bytes: 4e9, at }, kvCache: { bytes: 0, at } });
});

test('reports the loaded model, its users and since when it has been idle', async () => {
  told({ event: 'loaded', model: '/m', seconds: 2, active: 4e9 });
  told(memLine({ active: 4e9, cache: 1e9 }));
  status = { ...status, activeRequests: 1, draining: 1 };
  expect(memory.loaded()).toMatchObject([
    { name: 'm', ready: true, ours: true, active: 2, lastUsedAt: null, size: { bytes: 5e9 } },
  ]);
  await clock.advance(1_000);
  memory.used();
  expect(memory.loaded()).toMatchObject([{ lastUsedAt: clock.now() }]);
});

test('a loading model has no size yet, and a death counts as its own', () => {
  told(memLine({ active: 4e9 }));
  told({ event: 'loading', model: '/next' });
  expect(memory.loaded()).toMatchObject([{ name: 'next', ready: false, size: { bytes: null } }]);
  expect(memory.model()).toBe('next');
  told({ event: 'load_failed', model: '/next', kind: 'ValueError' });
  expect(memory.model()).toBe('m');
});

test('a process that has exited uses no memory, and no model can be freed alone', async () => {
  told(memLine({ active: 4e9, peak: 5e9 }));
  status = { ...status, pid: null };
  memory.reset();
  expect(memory.loaded()).toEqual([]);
  expect(memory.figures().process.bytes).toBeNull();
  await expect(memory.unload()).rejects.toMatchObject({ code: 'unsupported' });
});
