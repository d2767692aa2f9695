import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { checkData } from '../../../resources/setup/lib/doctor-system.js';
import { startOptions } from '../../../resources/setup/lib/options.js';
import { processStart } from '../../../resources/setup/lib/process-identity.js';
import { uninstall } from '../../../resources/setup/lib/uninstall.js';
import { tempDir } from '../../support/temp-dir';

function placeWith(files: string[]) {
  const root = tempDir();
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), 'text');
  }
  const env: Record<string, string> = {
    TANDEM_DATA_DIR: join(root, 'data'),
    TANDEM_RUNTIME_DIR: join(root, 'rt'),
  };
  return { root, place: { env, platform: 'linux', home: join(root, 'home') } };
}

async function remove(place: ReturnType<typeof placeWith>['place']) {
  const out = new PassThrough();
  const code = await uninstall({
    options: startOptions(['--uninstall', '--yes']),
    place,
    root: '/here',
    out,
  });
  return { code, text: String(out.read() ?? '') };
}

const filesIn = (root: string) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();

describe('the removal of the data', () => {
  it('deletes a folder of ours entirely', async () => {
    const { root, place } = placeWith([
      'data/.tandem-data',
      'data/tandem.db',
      'data/logs/tandem.log.1',
      'data/backups/2026-02-03T04-05-06.000Z-version-1.db',
      'data/chromium/Local State',
    ]);
    expect((await remove(place)).code).toBe(0);
    expect(existsSync(join(root, 'data'))).toBe(false);
  });

  it('deletes only our files from a folder with foreign files, and lists just those', async () => {
    const foreign = [
      'data/thesis.tmp',
      'data/project/b.tmp',
      'data/logs/nginx.log',
      'data/backups/photos.db',
    ];
    const { root, place } = placeWith([
      ...foreign,
      'data/.tandem-data',
      'data/tandem.db-wal',
      'data/settings.json',
      'data/logs/tandem.log',
      'data/chromium/Cookies',
    ]);
    const { text } = await remove(place);
    expect(filesIn(root)).toEqual([...foreign].sort());
    for (const path of foreign) expect(text).not.toContain(path);
    expect(text).toContain('data/logs/tandem.log');
  });

  it('deletes nothing from a folder that Tandem has never used', async () => {
    const foreign = ['data/settings.json', 'data/main.c'];
    const { root, place } = placeWith(foreign);
    expect((await remove(place)).text).toBe('There is nothing to remove.\n');
    expect(filesIn(root)).toEqual([...foreign].sort());
  });

  it('deletes our files behind a link of the user, and keeps the link and its folder', async () => {
    const { root, place } = placeWith([
      'disk/tandem/.tandem-data',
      'disk/tandem/tandem.db',
      'disk/tandem/logs/tandem.log',
      'disk/letters/to-anna.txt',
    ]);
    symlinkSync(join(root, 'disk/tandem'), join(root, 'data'));
    // A folder with one of Tandem's names that is a link to a folder of the user.
    symlinkSync(join(root, 'disk/letters'), join(root, 'disk/tandem/backups'));
    expect((await remove(place)).code).toBe(0);
    expect(filesIn(root)).toEqual(['disk/letters/to-anna.txt']);
    expect(lstatSync(join(root, 'data')).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(root, 'disk/tandem'))).toEqual([]);
  });

  it('does not start while a Tandem with another data folder uses the runtimes', async () => {
    const { root, place } = placeWith(['rt/mlx-0.1.0/tandem-runtime.json', 'data/.tandem-data']);
    const mark = join(root, 'rt', `.in-use-${process.pid}.json`);
    writeFileSync(
      mark,
      JSON.stringify({ pid: process.pid, startedAt: processStart(process.pid), paths: [] }),
    );
    const before = filesIn(root);
    await expect(remove(place)).rejects.toMatchObject({ code: 'busy' });
    expect(filesIn(root)).toEqual(before);
    writeFileSync(mark, JSON.stringify({ pid: process.pid, startedAt: 'long ago', paths: [] }));
    expect((await remove(place)).code).toBe(0);
    expect(filesIn(root)).toEqual([]);
  });

  it('keeps the parent of a runtime folder that the user has named', async () => {
    const { root, place } = placeWith(['apps/rt/electron-failure.json']);
    place.env.TANDEM_RUNTIME_DIR = join(root, 'apps', 'rt');
    await remove(place);
    expect(readdirSync(join(root, 'apps'))).toEqual([]);
  });
});

describe('the data folder check of the doctor', () => {
  it.each([
    ['foreign', ['data/thesis.tmp'], 'broken'],
    ['marked', ['data/thesis.tmp', 'data/.tandem-data'], 'found'],
    ['used before there was a marker', ['data/thesis.tmp', 'data/tandem.db'], 'found'],
    ['prepared', ['data/settings.json'], 'found'],
    ['not there', [], 'missing'],
  ])('describes a folder that is %s', async (_name, files, state) => {
    const { place } = placeWith(files);
    const result = await checkData({ place });
    expect(result.state).toBe(state);
    if (state === 'broken')
      expect(result).toMatchObject({
        detail: expect.stringContaining('thesis.tmp'),
        cure: expect.stringContaining('--data-dir'),
      });
  });
});
