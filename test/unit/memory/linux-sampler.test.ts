import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createLinuxSampler, groupFolders } from '../../../src/main/memory/linux-sampler';
import { usedPercent } from '../../../src/main/memory/pressure';
import { nodeFileStore } from '../../../src/main/ports/file-store';

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/memory/${name}`, import.meta.url), 'utf8');
const GiB = 1024 ** 3;

/** A machine described by its files. */
function machine(files: Record<string, string>) {
  const all: Record<string, string> = { '/proc/meminfo': fixture('meminfo.txt'), ...files };
  return createLinuxSampler({ readText: async (path) => all[path] ?? null });
}

describe('the Linux sampler', () => {
  it('counts unavailable memory as used', async () => {
    const sample = await machine({}).sample();
    expect(sample).toEqual({
      totalBytes: 24684084 * 1024,
      usedBytes: (24684084 - 18513063) * 1024,
      kernelLevel: null,
      source: 'proc',
    });
    expect(usedPercent(sample)).toBe(25);
  });

  it('uses a lower limit of a version 2 group, minus inactive file cache', async () => {
    const sample = await machine({
      '/proc/self/cgroup': '0::/user.slice/tandem\n',
      '/sys/fs/cgroup/user.slice/tandem/memory.max': `${4 * GiB}\n`,
      '/sys/fs/cgroup/user.slice/tandem/memory.current': '2000000000\n',
      '/sys/fs/cgroup/user.slice/tandem/memory.stat': fixture('cgroup-v2-stat.txt'),
    }).sample();
    expect(sample).toEqual({
      totalBytes: 4 * GiB,
      usedBytes: 1_400_000_000,
      kernelLevel: null,
      source: 'cgroup',
    });
  });

  it('uses the tightest of the groups above, and ignores groups without a limit', async () => {
    const sample = await machine({
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/b/memory.max': 'max\n',
      '/sys/fs/cgroup/a/b/memory.current': '5\n',
      '/sys/fs/cgroup/a/memory.max': `${2 * GiB}\n`,
      '/sys/fs/cgroup/a/memory.current': `${GiB}\n`,
    }).sample();
    expect(sample).toMatchObject({ totalBytes: 2 * GiB, usedBytes: GiB, source: 'cgroup' });
  });

  it('reads version 1, in a container whose own path is not mounted', async () => {
    const sample = await machine({
      '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/docker/0123\n1:cpu:/\n0::/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '4294967296\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1900000000\n',
      '/sys/fs/cgroup/memory/memory.stat': fixture('cgroup-v1-stat.txt'),
    }).sample();
    expect(sample).toMatchObject({ totalBytes: 4 * GiB, usedBytes: 1_400_000_000, source: 'cgroup' });
  });

  it('uses the figures of the machine when the group may have more than there is', async () => {
    const sample = await machine({
      '/proc/self/cgroup': '4:memory:/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1\n',
    }).sample();
    expect(sample.source).toBe('proc');
  });

  it('rejects instead of inventing a figure', async () => {
    const sampler = createLinuxSampler({ readText: async () => 'MemTotal: 100 kB\n' });
    await expect(sampler.sample()).rejects.toThrow('MemAvailable');
    await expect(createLinuxSampler({ readText: async () => null }).sample()).rejects.toThrow('MemTotal');
  });

  it.runIf(process.platform === 'linux')('reads this machine', async () => {
    const sample = await createLinuxSampler(nodeFileStore).sample();
    expect(sample.usedBytes).toBeGreaterThan(0);
    expect(sample.usedBytes).toBeLessThan(sample.totalBytes);
  });
});

describe('groupFolders', () => {
  it('goes from the group up to the root and never out of it', () => {
    expect(groupFolders('/sys', '/a/../b')).toEqual(['/sys/a/b', '/sys/a', '/sys']);
  });
});
