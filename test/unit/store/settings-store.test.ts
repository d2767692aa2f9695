import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FileStore, nodeFileStore } from '../../../src/main/ports/file-store';
import type { SettingChange } from '../../../src/main/store/settings-log';
import { openSettings, type SettingsStore } from '../../../src/main/store/settings-store';
import { TandemError } from '../../../src/shared/errors';
import { defaultSettings, SETTING_KEYS } from '../../../src/shared/settings';
import { buildEntry } from '../../support/build-worker';
import { FakeClock } from '../../support/fake-clock';
import { killAfter } from '../../support/kill-after';
import { tempDir } from '../../support/temp-dir';

const clock = new FakeClock(new Date('2026-02-03T04:05:06Z'));

const isFolder = async (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function open(dataDir: string, env: Record<string, string> = {}, files: FileStore = nodeFileStore) {
  return openSettings({ dataDir, env, files, clock, isFolder });
}

function writeSettings(dir: string, values: unknown, version = 1): void {
  writeFileSync(`${dir}/settings.json`, JSON.stringify({ version, values }));
}

/** Keys that the user set, in the environment or in the file. */
function chosen(settings: SettingsStore): string[] {
  const view = settings.view();
  return SETTING_KEYS.filter((key) => view[key].source !== 'default');
}

describe('settings', () => {
  it('start with the defaults, nothing chosen, nothing written', async () => {
    const dir = tempDir();
    const settings = await open(dir);
    expect(settings.values()).toEqual(defaultSettings());
    expect(chosen(settings)).toEqual([]);
    expect(settings.warnings).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('keep a change over a restart, in files for the owner only', async () => {
    const dir = tempDir();
    const settings = await open(dir);
    const changes: SettingChange[] = [];
    settings.onChange((change) => changes.push(change));
    await settings.set('mlxOnlyLight', false);
    expect(changes).toEqual([{ key: 'mlxOnlyLight', old: true, new: false }]);

    const again = await open(dir);
    expect(again.values().mlxOnlyLight).toBe(false);
    expect(chosen(again)).toEqual(['mlxOnlyLight']);
    expect(again.view().mlxOnlyLight).toMatchObject({ value: false, source: 'file', env: null });
    for (const file of readdirSync(dir)) expect(statSync(`${dir}/${file}`).mode & 0o777).toBe(0o600);
  });

  it('reset to the default', async () => {
    const dir = tempDir();
    const settings = await open(dir);
    await settings.set('theme', 'dark');
    await settings.reset('theme');
    expect(settings.values().theme).toBe('system');
    expect(chosen(settings)).toEqual([]);
    expect((await open(dir)).values().theme).toBe('system');
  });

  it('no longer name the model that Tandem installed in earlier versions', async () => {
    const dir = tempDir();
    writeSettings(dir, {
      mlxModelFast: 'tandem-starter',
      ollamaModelFast: 'tandem-starter:latest',
      ollamaModelCoding: 'qwen2.5-coder:7b',
      starterInAdopted: true,
    });
    const settings = await open(dir);
    expect(chosen(settings)).toEqual(['ollamaModelCoding']);
    expect(settings.values().smallModelInAdopted).toBe(false);
    expect(settings.warnings).toEqual([]);
    await settings.set('theme', 'dark');
    expect(readFileSync(`${dir}/settings.json`, 'utf8')).not.toContain('tarter');
  });

  it('let the environment override and reject changes of such values', async () => {
    const dir = tempDir();
    writeSettings(dir, { mlxOnlyLight: true, theme: 'dark' });
    const settings = await open(dir, { MLX_ONLY_LIGHT: 'off' });
    expect(settings.values()).toMatchObject({ mlxOnlyLight: false, theme: 'dark' });
    expect(settings.view().mlxOnlyLight).toMatchObject({ source: 'environment', env: 'MLX_ONLY_LIGHT' });
    expect(chosen(settings).sort()).toEqual(['mlxOnlyLight', 'theme']);
    await expect(settings.set('mlxOnlyLight', true)).rejects.toMatchObject({
      code: 'setting_from_environment',
    });
    await expect(settings.reset('mlxOnlyLight')).rejects.toThrow(/MLX_ONLY_LIGHT/);
  });

  it('reject a value that does not match the schema, and report what is accepted', async () => {
    const settings = await open(tempDir());
    await expect(settings.set('mlxMaxConcurrent', 17)).rejects.toMatchObject({
      code: 'setting_invalid',
      message: expect.stringContaining('a whole number from 1 to 16'),
    });
    expect(settings.values().mlxMaxConcurrent).toBe(1);
  });

  it('reject a value that contradicts another chosen one, and name it; a default yields', async () => {
    const settings = await open(tempDir());
    await settings.set('memoryCriticalPercent', 10);
    expect(settings.values()).toMatchObject({ memoryWarningPercent: 10, memoryCriticalPercent: 10 });
    await expect(settings.set('memoryWarningPercent', 99)).rejects.toMatchObject({
      code: 'setting_invalid',
      message: expect.stringMatching(/must not be above memoryCriticalPercent, which is 10/),
      details: { key: 'memoryWarningPercent', problem: 'above', limit: 10 },
    });
    await settings.set('memoryWarningPercent', 9);
    await expect(settings.set('memoryCriticalPercent', 8)).rejects.toMatchObject({
      details: { problem: 'below', limit: 9 },
    });
    expect(settings.values()).toMatchObject({ memoryWarningPercent: 9, memoryCriticalPercent: 10 });
    await settings.reset('memoryCriticalPercent');
    expect(settings.values()).toMatchObject({ memoryWarningPercent: 9, memoryCriticalPercent: 95 });
  });

  it('report two values that contradict each other, whatever their source, and prefer the environment', async () => {
    const dir = tempDir();
    writeSettings(dir, { memoryWarningPercent: 99, memoryCriticalPercent: 10 });
    const both = await open(dir);
    expect(both.values()).toMatchObject({ memoryWarningPercent: 85, memoryCriticalPercent: 95 });
    expect(both.warnings.map(({ code, details }) => [code, details?.name])).toEqual([
      ['setting_invalid', 'memoryWarningPercent'],
      ['setting_invalid', 'memoryCriticalPercent'],
    ]);
    // A value that does not apply must not block the correction.
    await both.set('memoryWarningPercent', 50);
    expect(both.values()).toMatchObject({ memoryWarningPercent: 50, memoryCriticalPercent: 95 });

    writeSettings(dir, { memoryWarningPercent: 99 });
    const mixed = await open(dir, { MLX_MEMORY_CRITICAL_PERCENT: '40' });
    expect(mixed.values()).toMatchObject({ memoryWarningPercent: 40, memoryCriticalPercent: 40 });
    expect(mixed.warnings).toHaveLength(1);

    const env = { MLX_MEMORY_WARNING_PERCENT: '99', MLX_MEMORY_CRITICAL_PERCENT: '10' };
    const variables = await open(tempDir(), env);
    expect(variables.values()).toMatchObject({ memoryWarningPercent: 85, memoryCriticalPercent: 95 });
    expect(variables.warnings.map(({ message }) => message.split(' ')[0])).toEqual(Object.keys(env));
  });

  it('allow several requests at once or wired memory, never both', async () => {
    const dir = tempDir();
    const settings = await open(dir);
    await settings.set('mlxMaxConcurrent', 4);
    await expect(settings.set('mlxWiredPercent', 50)).rejects.toMatchObject({
      code: 'setting_invalid',
      message: expect.stringMatching(/must stay at 0 while mlxMaxConcurrent is 4/),
      details: { key: 'mlxWiredPercent', problem: 'excludes', other: 'mlxMaxConcurrent', limit: 4 },
    });
    await settings.set('mlxMaxConcurrent', 1);
    await settings.set('mlxWiredPercent', 50);
    await expect(settings.set('mlxMaxConcurrent', 2)).rejects.toMatchObject({
      details: { key: 'mlxMaxConcurrent', problem: 'excludes', limit: 50 },
    });
    expect(settings.values()).toMatchObject({ mlxMaxConcurrent: 1, mlxWiredPercent: 50 });

    writeSettings(dir, { mlxMaxConcurrent: 3, mlxWiredPercent: 40 });
    const both = await open(dir);
    expect(both.values()).toMatchObject({ mlxMaxConcurrent: 1, mlxWiredPercent: 0 });
    expect(both.warnings.map(({ code, details }) => [code, details?.name, details?.other])).toEqual([
      ['setting_invalid', 'mlxMaxConcurrent', 'mlxWiredPercent'],
      ['setting_invalid', 'mlxWiredPercent', 'mlxMaxConcurrent'],
    ]);
    const mixed = await open(dir, { MLX_WIRED_PERCENT: '30' });
    expect(mixed.values()).toMatchObject({ mlxMaxConcurrent: 1, mlxWiredPercent: 30 });
    expect(mixed.warnings.map(({ details }) => details?.name)).toEqual(['mlxMaxConcurrent']);
  });

  it('reject a missing model folder, and keep one that has disappeared', async () => {
    const dir = tempDir();
    const there = join(dir, 'models');
    mkdirSync(there);
    const settings = await open(dir);
    await settings.set('modelFolders', [there]);
    for (const path of [join(dir, 'gone'), join(dir, 'settings.json'), 'models']) {
      await expect(settings.set('modelFolders', [there, path]), path).rejects.toMatchObject({
        code: 'setting_invalid',
        message: expect.stringContaining(path),
        details: { problem: 'folder', path },
      });
    }
    rmdirSync(there);
    const other = tempDir();
    await settings.set('modelFolders', [there, other]);
    expect(settings.values().modelFolders).toEqual([there, other]);
  });

  it('write through a link to its target', async () => {
    const dotfiles = tempDir();
    const dir = tempDir();
    symlinkSync(`${dotfiles}/second.json`, `${dotfiles}/first.json`);
    symlinkSync('../'.repeat(9) + `${dotfiles}/first.json`.slice(1), `${dir}/settings.json`);
    const settings = await open(dir);
    // The first change finds a link with a missing target.
    for (const theme of ['dark', 'light'] as const) {
      await settings.set('theme', theme);
      expect(lstatSync(`${dir}/settings.json`).isSymbolicLink()).toBe(true);
      expect(lstatSync(`${dotfiles}/first.json`).isSymbolicLink()).toBe(true);
      expect(JSON.parse(readFileSync(`${dotfiles}/second.json`, 'utf8')).values).toEqual({ theme });
    }
    expect(readdirSync(dotfiles).sort()).toEqual(['first.json', 'second.json']);
  });

  it('report that an address was given but is unusable', async () => {
    const dir = tempDir();
    expect((await open(dir)).isUnusable('ollamaUrl')).toBe(false);
    expect((await open(dir, { OLLAMA_API_URL: 'ftp://studio' })).isUnusable('ollamaUrl')).toBe(true);
    writeSettings(dir, { ollamaUrl: 'studio local' });
    expect((await open(dir)).isUnusable('ollamaUrl')).toBe(true);
    expect((await open(dir, { OLLAMA_API_URL: 'studio:11434' })).isUnusable('ollamaUrl')).toBe(false);
  });

  it('list what waits for a restart of MLX or of the app', async () => {
    const settings = await open(tempDir());
    const pending = () => {
      const view = settings.view();
      return [view.mlxOnlyLight.pendingRestart, view.useBackends.pendingRestart, view.theme.pendingRestart];
    };
    await settings.set('mlxOnlyLight', false);
    expect(pending()).toEqual([false, false, false]);
    settings.markApplied('mlx-restart');
    await settings.set('mlxOnlyLight', true);
    await settings.set('useBackends', 'mlx');
    await settings.set('theme', 'dark');
    expect(pending()).toEqual([true, true, false]);
    await settings.set('mlxOnlyLight', false);
    expect(pending()).toEqual([false, true, false]);
    await settings.set('mlxOnlyLight', true);
    settings.markApplied('mlx-restart');
    expect(pending()).toEqual([false, true, false]);
  });

  it('keep the old value when the disk is full', async () => {
    const dir = tempDir();
    const first = await open(dir);
    await first.set('theme', 'dark');
    const before = readFileSync(`${dir}/settings.json`, 'utf8');
    const full: FileStore = {
      ...nodeFileStore,
      replace: () => Promise.reject(new TandemError('disk_full', 'full')),
      append: () => Promise.reject(new TandemError('disk_full', 'full')),
    };
    const settings = await open(dir, {}, full);
    const changes: SettingChange[] = [];
    settings.onChange((change) => changes.push(change));
    await expect(settings.set('theme', 'light')).rejects.toMatchObject({ code: 'disk_full' });
    expect(settings.values().theme).toBe('dark');
    expect(changes).toEqual([]);
    expect(readFileSync(`${dir}/settings.json`, 'utf8')).toBe(before);
  });

  it('keep a change whose line in the log cannot be written', async () => {
    const dir = tempDir();
    const files: FileStore = {
      ...nodeFileStore,
      append: () => Promise.reject(new TandemError('disk_full', 'full')),
    };
    const settings = await open(dir, {}, files);
    await settings.set('theme', 'dark');
    expect((await open(dir)).values().theme).toBe('dark');
  });

  it('apply changes in the order of the calls', async () => {
    const dir = tempDir();
    const settings = await open(dir);
    await Promise.all([
      settings.set('memoryWarningPercent', 70),
      settings.set('theme', 'dark'),
      settings.set('memoryWarningPercent', 80),
    ]);
    expect((await open(dir)).values()).toMatchObject({ memoryWarningPercent: 80, theme: 'dark' });
  });

  it('log each change with old, new and time', async () => {
    const dir = tempDir();
    const settings = await open(dir);
    await settings.set('theme', 'dark');
    await settings.reset('theme');
    const lines = readFileSync(`${dir}/settings-log.jsonl`, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { at: '2026-02-03T04:05:06.000Z', key: 'theme', old: 'system', new: 'dark' },
      { at: '2026-02-03T04:05:06.000Z', key: 'theme', old: 'dark', new: 'system' },
    ]);
  });

  it('bound the log, keeping the newest lines complete', async () => {
    const dir = tempDir();
    const line = JSON.stringify({ at: 'x', key: 'theme', old: 'system', new: 'dark' });
    writeFileSync(`${dir}/settings-log.jsonl`, `${line}\n`.repeat(6000));
    const settings = await open(dir);
    await settings.set('theme', 'light');
    const text = readFileSync(`${dir}/settings-log.jsonl`, 'utf8');
    expect(text.length).toBeLessThan(256 * 1024);
    const lines = text.trim().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual(JSON.parse(line));
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ key: 'theme', new: 'light' });
  });
});

describe('an invalid settings file', () => {
  it.each([['{"version": 1, "val'], ['[]'], [''], ['{"version":"1","values":{}}']])(
    'sets %j aside, named and unchanged, and uses the last good copy',
    async (broken) => {
      const dir = tempDir();
      await (await open(dir)).set('theme', 'dark');
      writeFileSync(`${dir}/settings.json`, broken);

      const settings = await open(dir);
      const aside = `${dir}/settings.corrupt-2026-02-03T04-05-06.000Z.json`;
      expect(settings.warnings).toEqual([
        {
          code: 'settings_corrupt',
          message: expect.stringContaining(`${aside}; the last good copy is used`),
          details: { problem: 'kept', path: aside, used: 'lastGood' },
        },
      ]);
      expect(readFileSync(aside, 'utf8')).toBe(broken);
      expect(settings.values().theme).toBe('dark');
      await settings.set('language', 'ru');
      expect((await open(dir)).values()).toMatchObject({ theme: 'dark', language: 'ru' });
    },
  );

  it('falls back to the defaults without a good copy', async () => {
    const dir = tempDir();
    writeFileSync(`${dir}/settings.json`, '{');
    const settings = await open(dir);
    expect(settings.values()).toEqual(defaultSettings());
    expect(settings.warnings[0]?.message).toContain('the defaults hold');
  });

  it('accepts a manual edit as the new good copy', async () => {
    const dir = tempDir();
    await (await open(dir)).set('theme', 'dark');
    writeSettings(dir, { theme: 'light' });
    await open(dir);
    writeFileSync(`${dir}/settings.json`, 'broken');
    expect((await open(dir)).values().theme).toBe('light');
  });

  it('reports a single bad value, uses its default, and keeps unknown keys', async () => {
    const dir = tempDir();
    writeSettings(dir, { memoryWarningPercent: 900, theme: 'dark', fromTheFuture: [1] });
    const settings = await open(dir);
    expect(settings.values()).toMatchObject({ memoryWarningPercent: 85, theme: 'dark' });
    expect(chosen(settings)).not.toContain('memoryWarningPercent');
    expect(settings.warnings).toEqual([
      {
        code: 'setting_invalid',
        message: expect.stringMatching(/memoryWarningPercent.*from 1 to 100/),
        details: { name: 'memoryWarningPercent', accepted: 'number', low: 1, high: 100 },
      },
    ]);
    await settings.set('theme', 'light');
    expect(JSON.parse(readFileSync(`${dir}/settings.json`, 'utf8')).values).toEqual({
      memoryWarningPercent: 900,
      theme: 'light',
      fromTheFuture: [1],
    });
  });

  it.each([
    ['modelFolders', ['/a', 7, '/b'], ['/a', '/b'], '7'],
    ['modelFolders', [...Array.from({ length: 20 }, (_, i) => `/${i}`), '/last'], expect.anything(), '/last'],
    ['mlxCategories', ['greeting', 'constructor'], ['greeting'], 'constructor'],
    [
      'contextLengths',
      { 'ollama/qwen2.5:7b': 8192, 'ollama/phi': 1.5 },
      { 'ollama/qwen2.5:7b': 8192 },
      'ollama/phi',
    ],
    [
      'modelTimeEstimates',
      { a: { load: 1, per1k: 2, margin: 3 }, b: { load: 1e308, per1k: 2, margin: 3 } },
      { a: { load: 1, per1k: 2, margin: 3 } },
      'b',
    ],
  ] as const)('uses the good entries of %s and reports the bad one', async (key, given, held, entry) => {
    const dir = tempDir();
    writeSettings(dir, { [key]: given });
    const settings = await open(dir);
    expect(settings.values()[key]).toEqual(held);
    expect(settings.warnings).toEqual([
      {
        code: 'setting_invalid',
        message: expect.stringContaining(`"${entry}"`),
        details: expect.objectContaining({ name: key, entry }),
      },
    ]);
  });

  it.each(['http://me:secret@studio:11434', ' http://me:secret@studio:99999', 'me:sec"ret@secret@studio'])(
    'shows no credentials of a row that it rejects: %s',
    async (url) => {
      const dir = tempDir();
      const good = { kind: 'ollama', role: 'heavy', title: 'Studio', url: 'http://me:secret@studio' };
      const rows = [
        { ...good, id: 'studio' },
        { url, id: 'No' },
        { ...good, id: 'last' },
      ];
      writeSettings(dir, { moreBackends: rows });
      const settings = await open(dir);
      expect(settings.values().moreBackends.map(({ id }) => id)).toEqual(['studio', 'last']);
      expect(settings.warnings).toMatchObject([
        { code: 'setting_invalid', details: { name: 'moreBackends' } },
      ]);
      const shown = JSON.stringify([settings.warnings, settings.view()]);
      expect(shown).toContain('No');
      expect(shown).not.toMatch(/secret|ret@/);
    },
  );

  it('keeps the credentials of a row out of the view, the log and the change', async () => {
    const dir = tempDir();
    const settings = await open(dir);
    const changes: SettingChange[] = [];
    settings.onChange((change) => changes.push(change));
    const row = { id: 'studio', kind: 'ollama', role: 'heavy', title: 'Studio', maxConcurrent: 1 };
    await settings.set('moreBackends', [{ ...row, url: ' http://me:secret@studio:11434' }]);
    const view = JSON.stringify(settings.view());
    await settings.reset('moreBackends');
    const log = readFileSync(`${dir}/settings-log.jsonl`, 'utf8');
    for (const text of [view, log, JSON.stringify(changes)]) {
      expect(text).toContain('http://studio:11434');
      expect(text).not.toContain('secret');
    }
  });

  it('uses a file of a newer version and does not change it', async () => {
    const dir = tempDir();
    writeSettings(dir, { theme: 'dark' }, 2);
    const before = readFileSync(`${dir}/settings.json`, 'utf8');
    const settings = await open(dir);
    expect(settings.values().theme).toBe('dark');
    expect(settings.warnings).toEqual([
      {
        code: 'read_only',
        message: expect.stringContaining('Update Tandem'),
        details: { path: `${dir}/settings.json`, version: 2 },
      },
    ]);
    await expect(settings.set('theme', 'light')).rejects.toMatchObject({ code: 'read_only' });
    expect(readFileSync(`${dir}/settings.json`, 'utf8')).toBe(before);
  });

  it('rejects changes when the file cannot be read', async () => {
    const dir = tempDir();
    const files: FileStore = {
      ...nodeFileStore,
      readText: () => Promise.reject(new Error('EACCES: permission denied')),
    };
    const settings = await open(dir, {}, files);
    expect(settings.values()).toEqual(defaultSettings());
    expect(settings.warnings[0]).toMatchObject({ code: 'settings_corrupt' });
    await expect(settings.set('theme', 'dark')).rejects.toMatchObject({ code: 'read_only' });
  });

  it('is complete after the process was killed while writing', async () => {
    const dir = tempDir();
    const writer = await buildEntry('test/support/settings-writer.ts');
    onTestFinished(() => writer.remove());
    const saved = Number(await killAfter(30, [fileURLToPath(writer.url), dir]));
    const settings = await open(dir);
    expect(settings.warnings).toEqual([]);
    expect(settings.values().rateLimitMax).toBeGreaterThanOrEqual(saved);
  });
});
