import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeFileStore } from '../../../src/main/ports/file-store';
import { tempDir } from '../../support/temp-dir';

describe('nodeFileStore', () => {
  it('replaces a file atomically, for the owner only, and leaves no temporary file', async () => {
    const dir = tempDir();
    await nodeFileStore.replace(`${dir}/a.json`, 'old');
    chmodSync(`${dir}/a.json`, 0o644);
    await nodeFileStore.replace(`${dir}/a.json`, 'new');
    expect(readFileSync(`${dir}/a.json`, 'utf8')).toBe('new');
    expect(statSync(`${dir}/a.json`).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['a.json']);
  });

  it('leaves no temporary file when it cannot replace', async () => {
    const dir = tempDir();
    await expect(nodeFileStore.replace(`${dir}/none/a.json`, 'new')).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await expect(nodeFileStore.replace(dir, 'new')).rejects.toMatchObject({ code: 'EISDIR' });
    expect(readdirSync(dir)).toEqual([]);
  });

  it('appends to a file for the owner only', async () => {
    const path = `${tempDir()}/log`;
    await nodeFileStore.append(path, 'one\n');
    await nodeFileStore.append(path, 'two\n');
    expect(await nodeFileStore.readText(path)).toBe('one\ntwo\n');
    expect(await nodeFileStore.size(path)).toBe(8);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('treats a missing file as empty, and only that', async () => {
    const dir = tempDir();
    expect(await nodeFileStore.readText(`${dir}/none`)).toBeNull();
    expect(await nodeFileStore.size(`${dir}/none`)).toBe(0);
    await expect(nodeFileStore.readText(dir)).rejects.toMatchObject({ code: 'EISDIR' });
  });

  it.runIf(process.platform === 'linux')('reports a full disk as such', async () => {
    // Every write to this device fails with ENOSPC.
    await expect(nodeFileStore.append('/dev/full', 'text')).rejects.toMatchObject({
      name: 'TandemError',
      code: 'disk_full',
      message: expect.stringContaining('Free some space'),
    });
  });
});
