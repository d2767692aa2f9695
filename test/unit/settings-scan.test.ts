import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createServices } from '../../src/main/core/services';
import { nodeFileStore } from '../../src/main/ports/file-store';
import { silentLogger } from '../../src/main/ports/logger';
import { openSettings } from '../../src/main/store/settings-store';
import { ChildRecords } from '../../src/main/supervisor/sweep';
import { FakeClock, settle } from '../support/fake-clock';
import { FakeProcessTable, FakeSpawner } from '../support/fake-processes';
import { MemoryStore } from '../support/memory-store';

test('models are looked for again after a setting that says where they are, and after no other', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tandem-services-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const clock = new FakeClock();
  const unreachable = () => Promise.reject(new Error('nobody'));
  const ports = { clock, files: nodeFileStore, logger: silentLogger };
  const settings = await openSettings({ ...ports, dataDir, env: {}, isFolder: async () => true });
  const spawner = new FakeSpawner();
  const services = createServices(
    {
      ...ports,
      spawner,
      scan: { spawner, clock, node: 'node', script: 'scan.js', env: {} },
      table: new FakeProcessTable(),
      records: new ChildRecords(join(dataDir, 'children.json')),
      fetcher: unreachable,
      post: unreachable,
    },
    settings,
    Object.assign(new MemoryStore(), { warnings: [] }),
    {
      version: '0',
      host: 'headless',
      platform: 'linux',
      locale: 'en',
      home: dataDir,
      dataDir,
      resourcesDir: dataDir,
      runtimeDir: dataDir,
      env: {},
      instanceId: 'test',
      node: 'node',
      containerHost: { mlx: null, ollama: null },
      systemPackages: false,
    },
  );
  let scans = 0;
  services.mlxModels.list = async () => {
    scans += 1;
    return [];
  };
  settings.onChange(({ key }) => services.applySetting(key));
  await settings.set('theme', 'dark');
  await settings.set('rateLimitMax', 7);
  await settle();
  expect(scans).toBe(0);
  await settings.set('modelFolders', [dataDir]);
  await settings.set('mlxModelFast', 'phi');
  await settle();
  expect(scans).toBe(2);
});
