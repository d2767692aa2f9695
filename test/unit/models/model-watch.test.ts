import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ModelWatch } from '../../../src/main/models/model-watch';
import { systemClock } from '../../../src/main/ports/clock';
import { type FolderWatch, nodeFolderWatch } from '../../../src/main/ports/folder-watch';
import { silentLogger } from '../../../src/main/ports/logger';
import { FakeClock } from '../../support/fake-clock';
import { placesIn, scanned } from '../../support/scan';
import { tempDir } from '../../support/temp-dir';

/** Watched folders whose changes and failures a test controls. */
class FakeFolders {
  readonly open = new Map<
    string,
    { change: (name: string | null) => void; fail: (error: unknown) => void }
  >();
  refused: string | null = null;
  readonly missing = new Set<string>();

  readonly watch: FolderWatch = (folder, _recursive, change, fail) => {
    if (folder === this.refused) throw new Error('ENOSPC');
    if (this.missing.has(folder)) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
    this.open.set(folder, { change, fail });
    return () => void this.open.delete(folder);
  };

  touch(folder: string, name: string | null = null): void {
    this.open.get(folder)?.change(name);
  }
}

let clock: FakeClock;
let folders: FakeFolders;
let told: number;

beforeEach(() => {
  clock = new FakeClock();
  folders = new FakeFolders();
  told = 0;
});

function started(recursive = false): ModelWatch {
  const watch = new ModelWatch({ watch: folders.watch, recursive, clock, logger: silentLogger });
  watch.start(() => {
    told += 1;
  });
  return watch;
}

describe('watching for models', () => {
  it('reports many changes once, when they have ended', async () => {
    started().follow(['/a', '/b']);
    for (let file = 0; file < 10; file += 1) {
      folders.touch(file % 2 ? '/a' : '/b');
      await clock.advance(900);
    }
    expect(told).toBe(0);
    await clock.advance(100);
    expect(told).toBe(1);
    await clock.advance(60_000);
    expect(told).toBe(1);
  });

  it('reports a continuous download periodically', async () => {
    started().follow(['/a']);
    for (let count = 0; count < 80; count += 1) {
      folders.touch('/a');
      await clock.advance(500);
    }
    expect(told).toBe(2);
  });

  it('skips unwatchable folders silently, and retries them', async () => {
    const watch = started();
    folders.refused = '/b';
    watch.follow(['/a', '/b']);
    expect([...folders.open.keys()]).toEqual(['/a']);
    folders.open.get('/a')?.fail(new Error('gone'));
    folders.refused = null;
    watch.follow(['/a', '/b']);
    expect([...folders.open.keys()]).toEqual(['/a', '/b']);
  });

  it('follows the folders as they change, and watches only the outermost of nested ones', () => {
    const watch = started();
    watch.follow(['/a', '/a/x']);
    watch.follow(['/a/x', '/c']);
    expect([...folders.open.keys()].sort()).toEqual(['/a/x', '/c']);
    watch.stop();
    expect(folders.open.size).toBe(0);
    watch.follow(['/a']);
    expect(folders.open.size).toBe(0);
    started(true).follow(['/a', '/a/x', '/a/x/y', '/ab']);
    expect([...folders.open.keys()]).toEqual(['/a', '/ab']);
  });

  it('watches the nearest existing ancestor of a missing folder, only for the next part of its path', async () => {
    for (const path of ['/home/a/b', '/home/a']) folders.missing.add(path);
    const watch = started();
    watch.follow(['/home/a/b']);
    expect([...folders.open.keys()]).toEqual(['/home']);
    folders.touch('/home', 'notes');
    expect(clock.pending).toBe(0);
    folders.touch('/home', 'a');
    await clock.advance(1000);
    expect(told).toBe(1);
    folders.missing.delete('/home/a');
    watch.follow(['/home/a/b']);
    expect([...folders.open.keys()]).toEqual(['/home/a']);
    folders.missing.clear();
    watch.follow(['/home/a/b']);
    expect([...folders.open.keys()]).toEqual(['/home/a/b']);
    watch.stop();
    expect(folders.open.size).toBe(0);
  });

  it('watches a folder again that was removed and created again', () => {
    const watch = started();
    watch.follow(['/home/a']);
    folders.touch('/home/a', 'a');
    expect(folders.open.size).toBe(0);
    watch.follow(['/home/a']);
    expect([...folders.open.keys()]).toEqual(['/home/a']);
  });

  it('notices a real folder that appears below a missing one', async () => {
    const home = tempDir();
    const models = join(home, 'studio', 'models');
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch = new ModelWatch({
      watch: nodeFolderWatch,
      recursive: false,
      clock: systemClock,
      logger: silentLogger,
    });
    watch.start(resolve);
    watch.follow([models]);
    mkdirSync(models, { recursive: true });
    await promise;
    watch.stop();
  });

  it('leaves no timer when it is stopped during a delay', () => {
    const watch = started();
    watch.follow(['/a']);
    folders.touch('/a');
    watch.stop();
    expect(clock.pending).toBe(0);
  });

  it('is notified about a real folder, and reports where one cannot be watched', async () => {
    const dir = tempDir();
    await new Promise<void>((resolve) => {
      const close = nodeFolderWatch(
        dir,
        false,
        () => {
          close();
          resolve();
        },
        () => {},
      );
      writeFileSync(join(dir, 'config.json'), '{}');
    });
    expect(() =>
      nodeFolderWatch(
        join(dir, 'nowhere'),
        false,
        () => {},
        () => {},
      ),
    ).toThrow();
  });
});

describe('the folders of Ollama', () => {
  it('are its manifests, down to the models, in the folder that its variable names', async () => {
    const home = tempDir();
    mkdirSync(join(home, 'elsewhere/manifests/host/library/qwen'), { recursive: true });
    writeFileSync(join(home, 'elsewhere/manifests/host/library/qwen/3b'), '{}');
    const visited = async (env: Record<string, string>) =>
      (await scanned(placesIn(home, { loadable: false, env }))).visited;
    const below = (await visited({ OLLAMA_MODELS: join(home, 'elsewhere') })).map((folder) =>
      folder.slice(home.length),
    );
    expect(below).toEqual([
      '/elsewhere/manifests',
      '/elsewhere/manifests/host',
      '/elsewhere/manifests/host/library',
      '/elsewhere/manifests/host/library/qwen',
    ]);
    expect(await visited({})).toEqual([join(home, '.ollama/models/manifests')]);
  });
});
