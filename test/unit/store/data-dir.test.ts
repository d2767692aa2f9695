import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { dataDir } from '../../../resources/setup/lib/paths.js';
import { createProcessTable } from '../../../src/main/ports/node-process-table';
import { openLog } from '../../../src/main/ports/pino-logger';
import type { ProcessTable } from '../../../src/main/ports/spawner';
import { dataDirPath, openDataDir } from '../../../src/main/store/data-dir';
import { checkDataFolder } from '../../../src/main/store/data-folder';
import { tempDir } from '../../support/temp-dir';

const processes = createProcessTable();

function open(
  path: string,
  options: { env?: Record<string, string>; table?: Pick<ProcessTable, 'identify'> } = {},
) {
  return openDataDir({
    env: { TANDEM_DATA_DIR: path, ...options.env },
    platform: process.platform,
    home: '/home/nobody',
    processes: options.table ?? processes,
  });
}

const mode = (path: string) => statSync(path).mode & 0o777;

describe('dataDirPath', () => {
  it.each([
    ['linux', {}, '/home/me/.config/Tandem'],
    ['linux', { XDG_CONFIG_HOME: '/conf' }, '/conf/Tandem'],
    ['darwin', {}, '/home/me/Library/Application Support/Tandem'],
    ['darwin', { TANDEM_DATA_DIR: '/elsewhere' }, '/elsewhere'],
  ] as const)('%s %j: %s, same as in the set-up scripts', (platform, env, expected) => {
    const place = { env, platform, home: '/home/me' };
    expect(dataDirPath(place)).toBe(expected);
    expect(dataDir(place)).toBe(expected);
  });

  it('prefers the argument to the environment', () => {
    const place = { env: { TANDEM_DATA_DIR: '/b' }, platform: 'linux' as const, home: '/h', argument: '/a' };
    expect(dataDirPath(place)).toBe('/a');
  });
});

describe('openDataDir', () => {
  it('creates a private folder with a private lock and token, and releases the lock', async () => {
    const path = join(tempDir(), 'deep', 'Tandem');
    const opened = await open(path);
    expect(opened.path).toBe(path);
    expect(mode(path)).toBe(0o700);
    expect(mode(`${path}/instance.json`)).toBe(0o600);
    expect(mode(`${path}/web-token`)).toBe(0o600);
    expect(JSON.parse(readFileSync(`${path}/instance.json`, 'utf8'))).toMatchObject({
      pid: process.pid,
      instanceId: opened.instanceId,
    });
    await opened.release();
    expect(readdirSync(path)).toEqual(['instance.lock', 'web-token']);
  });

  it('makes an open folder private once it is known to be ours', async () => {
    const path = join(tempDir(), 'wide');
    mkdirSync(path, { mode: 0o755 });
    const opened = await open(path);
    await opened.claim();
    await opened.release();
    expect(mode(path)).toBe(0o700);
    expect(readdirSync(path)).toContain('.tandem-data');
  });

  it('keeps the token of a folder, gives each start its own id, and uses a token from the environment', async () => {
    const path = tempDir();
    const first = await open(path);
    await first.release();
    const second = await open(path);
    await second.release();
    expect(second.webToken).toBe(first.webToken);
    expect(second.webToken.length).toBeGreaterThanOrEqual(32);
    expect(second.instanceId).not.toBe(first.instanceId);
    const given = 'chosen-by-me-1234';
    const third = await open(path, { env: { TANDEM_WEB_TOKEN: given } });
    expect(third.webToken).toBe(given);
    await third.release();
  });

  it('rejects a token that can be guessed, before it changes anything', async () => {
    const path = join(tempDir(), 'new');
    await expect(open(path, { env: { TANDEM_WEB_TOKEN: 'a' } })).rejects.toMatchObject({
      code: 'environment_invalid',
      message: expect.stringMatching(/^TANDEM_WEB_TOKEN is too short.*at least 8/),
    });
    expect(existsSync(path)).toBe(false);
  });

  it('rejects a folder that a living process uses, names the process, and changes nothing', async () => {
    const path = tempDir();
    const first = await open(path);
    const lock = readFileSync(`${path}/instance.json`, 'utf8');
    await expect(open(path)).rejects.toMatchObject({
      code: 'data_dir_locked',
      message: expect.stringMatching(new RegExp(`process ${process.pid}.*--data-dir`)),
    });
    expect(readFileSync(`${path}/instance.json`, 'utf8')).toBe(lock);
    await first.release();
  });

  it('takes over from a process that was killed', async () => {
    const path = tempDir();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const exited = once(child, 'exit');
    const holder = { ...(await processes.identify(child.pid ?? 0)), instanceId: 'dead' };
    writeFileSync(`${path}/instance.json`, JSON.stringify(holder));
    await expect(open(path)).rejects.toMatchObject({ code: 'data_dir_locked', details: { pid: child.pid } });
    child.kill('SIGKILL');
    await exited;
    const opened = await open(path);
    expect(readFileSync(`${path}/instance.json`, 'utf8')).toContain(opened.instanceId);
    await opened.release();
  });

  it('takes over when the pid now belongs to another process', async () => {
    const path = tempDir();
    const holder = { pid: process.pid, startedAt: 'before the reboot', instanceId: 'dead' };
    writeFileSync(`${path}/instance.json`, JSON.stringify(holder));
    await (await open(path)).release();
  });

  it.each([[''], ['not json'], ['{"pid":0}']])('takes over a lock without an owner: %j', async (text) => {
    const path = tempDir();
    writeFileSync(`${path}/instance.json`, text);
    await (await open(path)).release();
    expect(readdirSync(path)).toEqual(['instance.lock', 'web-token']);
  });

  it('gives a folder to exactly one of many that start at once after a crash', async () => {
    const path = tempDir();
    writeFileSync(
      `${path}/instance.json`,
      JSON.stringify({ pid: 1, startedAt: 'never', instanceId: 'dead' }),
    );
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => open(path)));
    const winners = results.filter((result) => result.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'data_dir_locked' });
    }
    await winners[0]?.value.release();
    expect(readdirSync(path)).toEqual(['instance.lock', 'web-token']);
  });

  it('does not release a lock that is no longer its own', async () => {
    const path = tempDir();
    const opened = await open(path);
    writeFileSync(`${path}/instance.json`, JSON.stringify({ pid: 1, startedAt: 'x', instanceId: 'other' }));
    await opened.release();
    expect(readFileSync(`${path}/instance.json`, 'utf8')).toContain('other');
  });

  it('reports the cure when the folder cannot be created', async () => {
    const dir = tempDir();
    writeFileSync(`${dir}/file`, '');
    await expect(open(`${dir}/file/Tandem`)).rejects.toMatchObject({
      code: 'read_only',
      message: expect.stringContaining('TANDEM_DATA_DIR'),
    });
  });
});

describe('a folder with foreign files', () => {
  function folderWith(...files: string[]): string {
    const path = join(tempDir(), 'theirs');
    for (const file of files) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), 'text');
    }
    chmodSync(path, 0o755);
    return path;
  }
  const filesIn = (path: string) => readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();

  it.each([
    ['project', ['thesis.tmp', 'project/b.tmp']],
    ['logs', ['logs/nginx.log', 'logs/access.log.tmp']],
    ['backups', ['settings.json', 'backups/photos.db']],
  ])('is rejected by name and left unchanged: %s', async (entry, files) => {
    const path = folderWith(...files);
    const before = filesIn(path);
    await expect(open(path)).rejects.toMatchObject({
      code: 'data_dir_foreign',
      message: expect.stringMatching(new RegExp(`${path} .*${entry}.*--data-dir`)),
      details: { path, entry },
    });
    expect(filesIn(path)).toEqual(before);
    expect(mode(path)).toBe(0o755);
  });

  it('is used where Tandem used it before, gets its marker, and loses only our own temporary files', async () => {
    const uuid = '0a1b2c3d-1111-4222-8333-123456789abc';
    const foreign = ['thesis.tmp', 'project/b.tmp', `notes.${uuid}.tmp`, 'logs/x.tmp', 'chromium/cache.tmp'];
    const half = [
      `settings.json.${uuid}.tmp`,
      `instance.json.${uuid}`,
      'backups/2026-02-03T04-05-06.000Z-version-1.db.tmp',
      'backups/2026-02-03T04-05-06.000Z-version-1.db.tmp-journal',
    ];
    const path = folderWith('tandem.db', ...foreign, ...half);
    const opened = await open(path);
    expect(mode(path)).toBe(0o755);
    await opened.claim();
    await opened.release();
    for (const file of foreign) expect(existsSync(join(path, file)), file).toBe(true);
    for (const file of half) expect(existsSync(join(path, file)), file).toBe(false);
    expect(filesIn(path)).toContain('.tandem-data');
    await (await open(path)).release();
  });

  it('is used when there are only files that Tandem or the system creates', async () => {
    const path = folderWith(
      'settings.json',
      '.DS_Store',
      'lost+found/x',
      'chromium/Local State',
      'logs/tandem.log',
    );
    await (await open(path)).release();
  });

  it('keeps the permissions of the target of a link in our folder', async () => {
    const theirs = folderWith('token', 'logs/x');
    writeFileSync(join(theirs, 'token'), 'x'.repeat(40));
    chmodSync(join(theirs, 'token'), 0o644);
    const path = tempDir();
    symlinkSync(join(theirs, 'token'), join(path, 'web-token'));
    symlinkSync(theirs, join(path, 'logs'));
    const opened = await open(path);
    await (await openLog({ dataDir: path, json: true, stderr: new PassThrough() })).close();
    await opened.release();
    expect(opened.webToken).toBe('x'.repeat(40));
    expect(mode(join(theirs, 'token'))).toBe(0o644);
    expect(mode(theirs)).toBe(0o755);
  });
});

describe('the list of our own file names', () => {
  it('covers everything that the program writes into its data folder', () => {
    const src = join(import.meta.dirname, '../../../src/main');
    const named = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [
        ...readFileSync(join(src, file), 'utf8').matchAll(/join\((?:\w+\.)*dataDir(?:\.path)?, '([^']+)'/g),
      ])
      .map((match) => match[1] ?? '');
    expect(named).toEqual(expect.arrayContaining(['settings.json', 'tandem.db', 'suspects.json', 'logs']));
    for (const name of named) {
      const path = tempDir();
      writeFileSync(join(path, name), '');
      expect(() => checkDataFolder(path), name).not.toThrow();
    }
  });
});
