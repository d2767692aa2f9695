import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Adapters, KINDS } from '../../src/main/core/backends';
import { createCore } from '../../src/main/core/core';
import type { ChildRequest } from '../../src/main/models/scan-child';
import { type FileStore, nodeFileStore } from '../../src/main/ports/file-store';
import { silentLogger } from '../../src/main/ports/logger';
import { SecretFile } from '../../src/main/ports/secrets';
import type { LaunchSpec } from '../../src/main/ports/spawner';
import { openSettings } from '../../src/main/store/settings-store';
import { ChildRecords } from '../../src/main/supervisor/sweep';
import type { Push, Snapshot } from '../../src/shared/contract';
import type { Settings } from '../../src/shared/settings';
import { FakeClock, settle } from './fake-clock';
import { type FakeChild, FakeProcessTable, FakeSpawner } from './fake-processes';
import { MemoryStore } from './memory-store';
import { ScriptedOllama } from './scripted-ollama';
import { tempDir } from './temp-dir';

export const UI = { host: 'web' } as const;
const SCAN = 'scan-child.js';

/** Starts fake children; a scan for models finds nothing and ends at once. */
class CoreSpawner extends FakeSpawner {
  /** What each scan was started with. */
  readonly scans: ChildRequest[] = [];

  override spawn(spec: LaunchSpec): FakeChild {
    const child = super.spawn(spec);
    if (spec.args[0] === SCAN) {
      this.scans.push(JSON.parse(spec.input ?? '{}'));
      child.stdout.end('{"type":"end"}\n');
      child.exit(0);
    }
    return child;
  }

  /** The newest set-up of this part. */
  setup(part: string): FakeChild {
    const index = this.specs.findLastIndex(({ args }) => args.includes('--only') && args.includes(part));
    const child = this.children[index];
    if (!child) throw new Error(`no set-up of ${part}`);
    return child;
  }
}

export interface CoreFixtureOptions {
  /** Values in the settings file. */
  values?: Partial<Settings>;
  /** Kinds of backends in addition to those of the app. */
  adapters?: Adapters;
  /** Ollamas at other addresses, by host. */
  servers?: Readonly<Record<string, ScriptedOllama>>;
  /** Memory of the machine in bytes; absent = it cannot be read. */
  memory?: { total: number; available: number };
}

/**
 * A core on fake ports, with an Ollama at `OLLAMA_API_URL` that a test scripts and no MLX yet: its set-up runs until the
 * test ends it. Its two listeners are real, on free ports.
 */
export async function coreFixture(env: Record<string, string> = {}, options: CoreFixtureOptions = {}) {
  const dataDir = tempDir();
  const { values, adapters, servers, memory } = options;
  if (values) await writeFile(join(dataDir, 'settings.json'), JSON.stringify({ version: 1, values }));
  const clock = new FakeClock();
  const spawner = new CoreSpawner();
  const store = Object.assign(new MemoryStore(), { warnings: [] });
  const ollama = new ScriptedOllama();
  ollama.facts = { version: '0.24.0' };
  const placeEnv = {
    TANDEM_GATEWAY_PORT: '0',
    TANDEM_MLX_API_PORT: '0',
    OLLAMA_API_URL: 'http://127.0.0.1:11999',
    ...env,
  };
  const files = memory ? withMemory(memory) : nodeFileStore;
  const serverAt = (url: string) => servers?.[new URL(url).host] ?? ollama;
  const settings = await openSettings({ dataDir, env: placeEnv, files, clock, isFolder: async () => true });
  const done: string[] = [];
  const core = createCore(
    {
      clock,
      spawner,
      scan: { spawner, clock, node: 'node', script: SCAN, env: placeEnv },
      table: new FakeProcessTable(),
      records: new ChildRecords(join(dataDir, 'children.json')),
      fetcher: async (url, init) => serverAt(String(url)).fetcher(url, init),
      post: (url, post) => serverAt(url).post(url, post),
      files,
      secrets: new SecretFile({ files, path: join(dataDir, 'secrets.json'), cipher: null }),
      logger: silentLogger,
    },
    settings,
    store,
    {
      ...{ version: '1.0.0', host: 'headless', locale: 'en-GB', chip: 'Test M1', home: dataDir, dataDir },
      ...{ resourcesDir: join(dataDir, 'resources'), runtimeDir: join(dataDir, 'runtimes'), env: placeEnv },
      ...{ instanceId: 'of-the-test', node: 'node', containerHost: { mlx: null, ollama: null } },
      platform: memory ? 'linux' : 'freebsd',
      systemPackages: false,
    },
    {
      openExternal: async (url) => void done.push(url),
      showFolder: async (path) => void done.push(path),
      hideWindow: () => void done.push('hide'),
      quit: () => void done.push('quit'),
    },
    { ...KINDS, ...adapters },
  );
  onTestFinished(() => core.stop());
  const pushes: Push[] = [];
  core.onPush((push) => void pushes.push(push));
  /** The UI's state once it fulfils the condition; time passes meanwhile. Rejects if it does not in 100 s. */
  const until = async (holds: (snapshot: Snapshot) => boolean): Promise<Snapshot> => {
    for (let turn = 0; turn < 2000; turn += 1) {
      const { snapshot } = await core.handlers.snapshot({}, UI);
      if (holds(snapshot)) return snapshot;
      await settle();
      await clock.advance(50);
    }
    throw new Error('this state did not come');
  };
  /** An Ollama with these models that has been found. */
  const withModels = async (...names: string[]) => {
    const models = names.map((name) => ({ name, size: 2e9, details: { parameter_size: '3.8B' } }));
    ollama.facts = { ...ollama.facts, models };
    await core.start();
    await until((state) => state.models.length === names.length);
  };
  return { core, clock, spawner, store, ollama, pushes, done, dataDir, until, withModels };
}

/** The real files, and a Linux with this memory. */
function withMemory({ total, available }: { total: number; available: number }): FileStore {
  const text = `MemTotal: ${total / 1024} kB\nMemAvailable: ${available / 1024} kB\n`;
  return {
    ...nodeFileStore,
    async readText(path) {
      if (path === '/proc/meminfo') return text;
      return /^\/(proc|sys)\//.test(path) ? null : nodeFileStore.readText(path);
    },
  };
}
