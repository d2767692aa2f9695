import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { HubSource, type HubSourceOptions } from '../../src/main/models/downloads/hub-source';
import type { DownloadProgress } from '../../src/main/models/downloads/source';
import type { Clock } from '../../src/main/ports/clock';
import { systemClock } from '../../src/main/ports/clock';
import { nodeSpawner } from '../../src/main/ports/node-spawner';
import type { ChildHandle, LaunchSpec, Spawner } from '../../src/main/ports/spawner';
import type { HubServer } from './hub-server';
import { type RandomModelSize, writeRandomModel } from './random-model';
import { mlxPython } from './runtimes';
import { placesIn, scanned } from './scan';

/** `resources/mlx/hub.py`, run by the Python of the managed runtime with its own huggingface_hub. */
export const HUB_SCRIPT = resolve(import.meta.dirname, '../../resources/mlx/hub.py');
export const never = new AbortController().signal;

/** The files of a random model that mlx-lm can load. */
export async function randomModelFiles(size: RandomModelSize): Promise<Record<string, Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-hub-model-'));
  try {
    await writeRandomModel(folder, size);
    const names = await readdir(folder);
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Starts real processes and remembers them. */
class WatchedSpawner implements Spawner {
  readonly specs: LaunchSpec[] = [];
  readonly children: ChildHandle[] = [];

  spawn(spec: LaunchSpec): ChildHandle {
    const child = nodeSpawner.spawn(spec);
    this.specs.push(spec);
    this.children.push(child);
    return child;
  }

  get last(): ChildHandle {
    const child = this.children.at(-1);
    if (!child) throw new Error('nothing was started');
    return child;
  }
}

export interface HubFixture {
  source: HubSource;
  spawner: WatchedSpawner;
  /** The hub's cache; its parent is the home folder. */
  cache: string;
  /** Downloads, with each progress passed to `onProgress`. */
  pull(name: string, onProgress?: (progress: DownloadProgress) => void, signal?: AbortSignal): Promise<void>;
  /** Starts a download; resolves, while it is running, when so many bytes have arrived. `ended` settles with it. */
  begin(name: string, bytes: number): Promise<{ ended: Promise<unknown>; abort: () => void }>;
  /** What the model scan finds in the cache. */
  scan(): ReturnType<typeof scanned>;
}

/** The hub source on a cache of its own, over the test's hub. */
export async function hubFixture(
  hub: HubServer,
  options: {
    env?: Record<string, string>;
    cache?: string;
    clock?: Clock;
    token?: HubSourceOptions['token'];
  } = {},
): Promise<HubFixture> {
  const home = await mkdtemp(join(tmpdir(), 'tandem-hub-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const cache = options.cache ?? join(home, 'hub');
  const spawner = new WatchedSpawner();
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    HF_ENDPOINT: hub.url,
    HF_HUB_CACHE: cache,
    ...options.env,
  };
  const source = new HubSource({
    // As in the environment of a user who keeps everything else offline.
    process: {
      spawner,
      clock: options.clock ?? systemClock,
      script: HUB_SCRIPT,
      env: { HF_HUB_OFFLINE: '1', ...env },
    },
    python: mlxPython,
    readiness: () => 'ready',
    token: options.token ?? (async () => null),
  });
  const pull: HubFixture['pull'] = (name, onProgress = () => {}, signal = never) =>
    source.pull(name, { insecure: false }, onProgress, signal);
  return {
    source,
    spawner,
    cache,
    pull,
    async begin(name, bytes) {
      const controller = new AbortController();
      const { promise, resolve: arrived } = Promise.withResolvers<void>();
      const ended = pull(
        name,
        ({ completedBytes }) => completedBytes >= bytes && arrived(),
        controller.signal,
      );
      // A download that ends before that is a failure of the test.
      await Promise.race([promise, ended.then(() => Promise.reject(new Error('it is complete')))]);
      return { ended: ended.catch((error) => error), abort: () => controller.abort(new Error('stopped')) };
    },
    scan: () => scanned(placesIn(home, { env: { HF_HUB_CACHE: cache } })),
  };
}
