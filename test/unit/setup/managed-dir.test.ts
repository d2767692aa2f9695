import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cleanHalfBuilt,
  managedDir,
  openHalfBuilt,
  otherVersions,
  publish,
  removeOldVersions,
  smallModelFolder,
} from '../../../resources/setup/lib/managed-dir.js';
import { processStart } from '../../../resources/setup/lib/process-identity.js';
import { runningInstance } from '../../../resources/setup/lib/running-instance.js';
import { removals } from '../../../resources/setup/lib/uninstall.js';
import { SMALL_MODEL_RUNTIME } from '../../../src/shared/domain';

let root: string;
const fill = (folder: string, text: string) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'file'), text);
};
/** A folder that the set-up has completed. */
const complete = (folder: string, text: string) => {
  fill(folder, text);
  writeFileSync(join(folder, 'tandem-runtime.json'), '');
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tandem-runtimes-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a managed runtime', () => {
  it('replaces a broken one of its version atomically', () => {
    const dir = managedDir(root, 'mlx', '2.0.0');
    complete(dir.final, 'broken');
    complete(dir.building, 'new');
    publish(dir);
    expect(readFileSync(join(dir.final, 'file'), 'utf8')).toBe('new');
    expect(readdirSync(root)).toEqual(['mlx-2.0.0']);
  });

  it('keeps a folder of its name that the user created', () => {
    const dir = managedDir(root, 'mlx', '2.0.0');
    fill(dir.final, 'a checkout of the sources');
    complete(dir.building, 'new');
    publish(dir);
    expect(readFileSync(join(dir.final, 'file'), 'utf8')).toBe('new');
    const kept = readdirSync(root).find((name) => name.startsWith('mlx-2.0.0.kept-'));
    expect(readFileSync(join(root, kept ?? '', 'file'), 'utf8')).toBe('a checkout of the sources');
  });

  it('leaves alone what only looks like one of its versions', () => {
    const dir = managedDir(root, 'mlx', '0.32.2');
    for (const version of ['0.9.1', '0.31.3']) complete(join(root, `mlx-${version}`), '');
    const foreign = ['.mlx-notes.building', 'mlx-0.1.0', 'mlx-2024', 'mlx-examples'];
    for (const name of foreign) fill(join(root, name), '');
    cleanHalfBuilt(dir);
    removeOldVersions(dir);
    expect(readdirSync(root).sort()).toEqual([...foreign, 'mlx-0.31.3'].sort());
  });

  it('is restored when its replacement never arrived, and half-built folders are removed', () => {
    const dir = managedDir(root, 'mlx', '2.0.0');
    fill(dir.replaced, 'old');
    fill(dir.building, 'half');
    fill(managedDir(root, 'mlx', '1.0.0').building, 'half of another version');
    fill(managedDir(root, 'ollama', '2.0.0').building, 'not ours');
    cleanHalfBuilt(dir);
    expect(readFileSync(join(dir.final, 'file'), 'utf8')).toBe('old');
    expect(readdirSync(root).sort()).toEqual(['.ollama-2.0.0.building', 'mlx-2.0.0']);
  });

  it('continues a half-built one of the same recipe, and starts over with another recipe', () => {
    const dir = managedDir(root, 'ollama', '2.0.0');
    const half = () => readdirSync(dir.building).sort();
    expect(openHalfBuilt(dir, 'recipe a')).toBe(false);
    fill(dir.building, 'compiled');
    fill(managedDir(root, 'ollama', '1.0.0').building, 'half of another version');
    expect(openHalfBuilt(dir, 'recipe a')).toBe(true);
    expect(half()).toEqual(['file', 'recipe.json']);
    expect(readdirSync(root)).toEqual(['.ollama-2.0.0.building']);
    expect(openHalfBuilt(dir, 'recipe b')).toBe(false);
    expect(half()).toEqual(['recipe.json']);
    cleanHalfBuilt(dir, 'recipe b');
    expect(half()).toEqual(['recipe.json']);
    cleanHalfBuilt(dir);
    expect(readdirSync(root)).toEqual([]);
  });

  it('keeps the newest older version as a fallback', () => {
    const dir = managedDir(root, 'mlx', '0.32.2');
    for (const version of ['0.9.1', '0.31.3', '0.32.2']) complete(join(root, `mlx-${version}`), '');
    complete(join(root, 'ollama-0.1.0'), '');
    expect(otherVersions(dir)).toEqual([join(root, 'mlx-0.31.3'), join(root, 'mlx-0.9.1')]);
    expect(removeOldVersions(dir)).toEqual([join(root, 'mlx-0.9.1')]);
    expect(readdirSync(root).sort()).toEqual(['mlx-0.31.3', 'mlx-0.32.2', 'ollama-0.1.0']);
  });

  it('removes unneeded old versions, except those that a running Tandem uses', () => {
    for (const version of ['0.9.1', '0.31.3', '0.32.2']) complete(join(root, `mlx-${version}`), '');
    const used = {
      pid: process.pid,
      startedAt: processStart(process.pid),
      paths: [join(root, 'mlx-0.9.1', 'python')],
    };
    writeFileSync(join(root, `.in-use-${process.pid}.json`), JSON.stringify(used));
    expect(removeOldVersions(managedDir(root, 'mlx', '0.32.2'), 0)).toEqual([join(root, 'mlx-0.31.3')]);
  });
});

it('names the small model as the app expects it', () => {
  expect(smallModelFolder).toBe(SMALL_MODEL_RUNTIME);
});

describe('the removal', () => {
  const place = () => ({
    env: { TANDEM_RUNTIME_DIR: join(root, 'runtimes'), TANDEM_DATA_DIR: join(root, 'data') },
    platform: 'linux',
    home: root,
  });

  it('lists runtimes, half-built ones, the failure mark and the data, and no foreign files', () => {
    const runtimes = join(root, 'runtimes');
    for (const name of [
      'mlx-0.32.2',
      'ollama-0.24.0',
      'smollm2-135m-instruct-0.1.2',
      'starter-training-1a',
      'test-electron-22.3.25',
    ]) {
      complete(join(runtimes, name), '12345');
    }
    for (const name of [
      '.smollm2-135m-instruct.download',
      '.downloads',
      '.ollama-0.24.0.building',
      'holiday-pictures',
      'mlx-examples',
      'mlx-2024',
      '.electron-gyp',
    ]) {
      fill(join(runtimes, name), '12345');
    }
    writeFileSync(join(runtimes, 'electron-failure.json'), '{}');
    mkdirSync(join(root, 'data'));
    writeFileSync(join(root, 'data', 'tandem.db'), '12');
    fill(join(root, '.ollama', 'models'), 'the models of the user');
    const found = removals(place(), { keepData: false });
    expect(found.map((entry) => entry.path)).toEqual([
      join(runtimes, '.ollama-0.24.0.building'),
      join(runtimes, '.smollm2-135m-instruct.download'),
      join(runtimes, 'electron-failure.json'),
      join(runtimes, 'mlx-0.32.2'),
      join(runtimes, 'ollama-0.24.0'),
      join(runtimes, 'smollm2-135m-instruct-0.1.2'),
      join(runtimes, 'starter-training-1a'),
      join(runtimes, 'test-electron-22.3.25'),
      join(root, 'data'),
    ]);
    expect(found.find((entry) => entry.path.endsWith('mlx-0.32.2'))?.bytes).toBe(5);
    expect(removals(place(), { keepData: true }).some((entry) => entry.path === join(root, 'data'))).toBe(
      false,
    );
    expect(existsSync(join(root, '.ollama', 'models', 'file'))).toBe(true);
  });
});

describe('a running instance', () => {
  it('is identified by pid and start time, so that a later process with the pid does not count', () => {
    const startOf = (start: string | undefined) => () => start;
    expect(runningInstance(root, startOf('a'))).toBeUndefined();
    writeFileSync(join(root, 'instance.json'), '{"pid":77,"startedAt":"a","instanceId":"i"}');
    expect(runningInstance(root, startOf('a'))).toEqual({ pid: 77 });
    expect(runningInstance(root, startOf('later'))).toBeUndefined();
    expect(runningInstance(root, startOf(undefined))).toBeUndefined();
  });
});
