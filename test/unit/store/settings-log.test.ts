import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeFileStore } from '../../../src/main/ports/file-store';
import { logSettingChange, readSettingChanges } from '../../../src/main/store/settings-log';
import { FakeClock } from '../../support/fake-clock';
import { tempDir } from '../../support/temp-dir';

it('returns the changes since a time, oldest first, and skips unreadable ones', async () => {
  const path = join(tempDir(), 'settings-log.jsonl');
  const clock = new FakeClock(new Date('2026-11-20T10:00:00Z'));
  const since = clock.wall().getTime();
  const log = (key: 'theme' | 'language', now: string) =>
    logSettingChange(nodeFileStore, path, clock, { key, old: 'system', new: now });
  clock.jump(-1);
  await log('theme', 'light');
  clock.jump(1);
  await log('theme', 'dark');
  await appendFile(path, 'half a li\n{"at":"2026-11-20T10:00:00.000Z","key":"no-such-setting"}\n\n');
  clock.jump(60_000);
  await log('language', 'ru');
  expect(await readSettingChanges(nodeFileStore, path, since)).toEqual([
    { at: '2026-11-20T10:00:00.000Z', key: 'theme', old: 'system', new: 'dark' },
    { at: '2026-11-20T10:01:00.000Z', key: 'language', old: 'system', new: 'ru' },
  ]);
});

it('a missing or unreadable log has none', async () => {
  const path = join(tempDir(), 'none.jsonl');
  expect(await readSettingChanges(nodeFileStore, path, 0)).toEqual([]);
  await writeFile(path, '');
  const unreadable = { readText: () => Promise.reject(new Error('EACCES')) };
  expect(await readSettingChanges(unreadable, path, 0)).toEqual([]);
});
