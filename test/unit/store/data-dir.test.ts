import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataDir } from '../../../resources/setup/lib/paths.js';
import { createProcessTable } from '../../../src/main/ports/node-process-table';
import type { ProcessTable } from '../../../src/main/ports/spawner';
import { dataDirPath, openDataDir } from '../../../src/main/store/data-dir';
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
  ] as const)('%s %j: %s, as the set-up scripts have it', (platform, env, expected) => {
    const place = { env, platform, home: '/home/me' };
    expect(dataDirPath(place)).toBe(expected);
    expect(dataDir(place)).toBe(expected);
  });

  it('takes the argument before the environment', () => {
    const place = { env: { TANDEM_DATA_DIR: '/b' }, platform: 'linux' as const, home: '/h', argument: '/a' };
    expect(dataDirPath(place)).toBe('/a');
  });
});

describe('openDataDir', () => {
  it('makes a private folder with a private lock and token, and gives the lock back', async () => {
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

  it('closes a folder that was open to others', async () => {
    const path = join(tempDir(), 'wide');
    mkdirSync(path, { mode: 0o755 });
    await (await open(path)).release();
    expect(mode(path)).toBe(0o700);
  });

  it('keeps the token of a folder, gives each start its own id, and lets the environment set the token', async () => {
    const path = tempDir();
    const first = await open(path);
    await first.release();
    const second = await open(path);
    await second.release();
    expect(second.webToken).toBe(first.webToken);
    expect(second.webToken.length).toBeGreaterThanOrEqual(32);
    expect(second.instanceId).not.toBe(first.instanceId);
    const third = await open(path, { env: { TANDEM_WEB_TOKEN: 'mine' } });
    expect(third.webToken).toBe('mine');
    await third.release();
  });

  it('refuses a folder that a living process holds, names it, and leaves it alone', async () => {
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

  it('takes over when the pid lives again as another process', async () => {
    const path = tempDir();
    const holder = { pid: process.pid, startedAt: 'before the reboot', instanceId: 'dead' };
    writeFileSync(`${path}/instance.json`, JSON.stringify(holder));
    await (await open(path)).release();
  });

  it.each([[''], ['not json'], ['{"pid":0}']])('takes over a lock that names nobody: %j', async (text) => {
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

  it('does not give back a lock that is no longer its own', async () => {
    const path = tempDir();
    const opened = await open(path);
    writeFileSync(`${path}/instance.json`, JSON.stringify({ pid: 1, startedAt: 'x', instanceId: 'other' }));
    await opened.release();
    expect(readFileSync(`${path}/instance.json`, 'utf8')).toContain('other');
  });

  it('says the cure when the folder cannot be made', async () => {
    const dir = tempDir();
    writeFileSync(`${dir}/file`, '');
    await expect(open(`${dir}/file/Tandem`)).rejects.toMatchObject({
      code: 'read_only',
      message: expect.stringContaining('TANDEM_DATA_DIR'),
    });
  });
});
