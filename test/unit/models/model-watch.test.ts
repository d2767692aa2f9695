import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ModelWatch } from '../../../src/main/models/model-watch';
import { type FolderWatch, nodeFolderWatch } from '../../../src/main/ports/folder-watch';
import { silentLogger } from '../../../src/main/ports/logger';
import { FakeClock } from '../../support/fake-clock';
import { placesIn, scanned } from '../../support/scan';
import { tempDir } from '../../support/temp-dir';

/** Watched folders whose changes and failures a test controls. */
class FakeFolders {
  readonly open = new Map<string, { change: () => void; fail: (error: unknown) => void }>();
  refused: string | null = null;

  readonly watch: FolderWatch = (folder, _recursive, change, fail) => {
    if (folder === this.refused) throw new Error('ENOSPC');
    this.open.set(folder, { change, fail });
    return () => void this.open.delete(folder);
  };

  touch(folder: string): void {
    this.open.get(folder)?.change();
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
