import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { KINDS } from '../../src/main/core/backends';
import { createServices } from '../../src/main/core/services';
import { nodeFileStore } from '../../src/main/ports/file-store';
import { silentLogger } from '../../src/main/ports/logger';
import { SecretFile } from '../../src/main/ports/secrets';
import { openSettings } from '../../src/main/store/settings-store';
import { ChildRecords } from '../../src/main/supervisor/sweep';
import type { CompletionRequest } from '../../src/shared/completion';
import { FakeClock, settle } from '../support/fake-clock';
import { FakeProcessTable, FakeSpawner } from '../support/fake-processes';
import { MemoryStore } from '../support/memory-store';

const REQUEST: CompletionRequest = {
  id: 'r',
  messages: [{ role: 'user', content: 'hello' }],
  model: { kind: 'auto' },
  priority: 'medium',
  client: 'c',
  sampling: {},
  strict: false,
  origin: 'gateway',
};
let ids = 0;

/** The services of a host with nothing around it, and a count of their model scans. */
async function startServices() {
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
      secrets: new SecretFile({ files: nodeFileStore, path: join(dataDir, 'secrets.json'), cipher: null }),
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
      chip: null,
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
    KINDS,
  );
  let scans = 0;
  services.mlxModels.list = async () => {
    scans += 1;
    return [];
  };
  settings.onChange(({ key }) => services.applySetting(key));
  return { clock, settings, services, dataDir, scans: () => scans };
}

test('a setting that changes where models are found triggers a scan, and no other does', async () => {
  const { settings, dataDir, scans } = await startServices();
  await settings.set('theme', 'dark');
  await settings.set('rateLimitMax', 7);
  await settle();
  expect(scans()).toBe(0);
  await settings.set('modelFolders', [dataDir]);
  await settings.set('mlxModelFast', 'phi');
  await settle();
  expect(scans()).toBe(2);
});

test('requests for an unknown name trigger a scan rarely, and again after three seconds', async () => {
  const { clock, services, scans } = await startServices();
  // The first request waits until the size of the machine is known.
  await services.memory.sampleNow();
  for (const backend of services.registry.all()) {
    const status = backend.status();
    backend.status = () => ({ ...status, state: 'ready' });
  }
  const ask = async (name: string) => {
    const request = { ...REQUEST, id: `r${ids++}`, model: { kind: 'named' as const, name } };
    const events = services.dispatcher.dispatch(request, new AbortController().signal);
    const refused = expect(events.next().then(() => events.next())).rejects.toMatchObject({
      code: 'model_not_found',
    });
    await clock.advance(1_000);
    await refused;
  };
  for (let times = 0; times < 3; times += 1) await ask('nobody:1b');
  expect(scans()).toBe(1);
  await ask('nobody:1b');
  expect(scans()).toBe(2);
  for (let times = 0; times < 3; times += 1) await ask(`another:${times}b`);
  expect(scans()).toBe(5);
});
