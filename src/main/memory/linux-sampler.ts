import type { FileStore } from '../ports/file-store';
import type { MemorySample, MemorySampler } from './types';

/** Figures of one control group; null limit = none. */
interface GroupMemory {
  limitBytes: number;
  usedBytes: number;
}

/** File names and mount points of the two versions of the memory controller. */
const CONTROLLERS = [
  {
    mounts: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'],
    entry: /^0::(.*)$/m,
    limit: 'memory.max',
    usage: 'memory.current',
    inactiveFile: 'inactive_file',
  },
  {
    mounts: ['/sys/fs/cgroup/memory'],
    entry: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m,
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    inactiveFile: 'total_inactive_file',
  },
] as const;

/**
 * Linux: 1 − MemAvailable / MemTotal. If a control group's limit is lower than the machine's memory, that group's usage
 * minus its inactive file cache. Fields: proc_meminfo(5), kernel docs `cgroup-v2` and `cgroup-v1/memory`.
 */
export function createLinuxSampler(files: Pick<FileStore, 'readText'>): MemorySampler {
  return {
    async sample() {
      const machine = parseMeminfo((await files.readText('/proc/meminfo')) ?? '');
      const group = await tightestGroup(files);
      if (!group || group.limitBytes >= machine.totalBytes) return machine;
      return {
        totalBytes: group.limitBytes,
        usedBytes: Math.min(group.usedBytes, group.limitBytes),
        kernelLevel: null,
        source: 'cgroup',
      };
    },
  };
}

/** Throws when MemTotal or MemAvailable is missing. */
function parseMeminfo(text: string): MemorySample {
  const totalBytes = kilobytes(text, 'MemTotal');
  const availableBytes = kilobytes(text, 'MemAvailable');
  return { totalBytes, usedBytes: totalBytes - availableBytes, kernelLevel: null, source: 'proc' };
}

/** Folders from the process's own group up to the root; in a container the path may lie outside the mount. */
export function groupFolders(mount: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, up) =>
    [mount, ...parts.slice(0, parts.length - up)].join('/'),
  );
}

/** Bytes in use of one group: its usage minus file pages that the kernel drops first. */
function parseGroup(
  limit: string | null,
  usage: string | null,
  stat: string | null,
  inactiveFile: string,
): GroupMemory | null {
  const limitBytes = Number.parseInt(limit ?? '', 10);
  const usageBytes = Number.parseInt(usage ?? '', 10);
  if (!Number.isFinite(limitBytes) || limitBytes <= 0 || !Number.isFinite(usageBytes)) return null;
  const inactive = new RegExp(`^${inactiveFile} (\\d+)$`, 'm').exec(stat ?? '')?.[1];
  return { limitBytes, usedBytes: Math.max(0, usageBytes - Number(inactive ?? 0)) };
}

async function tightestGroup(files: Pick<FileStore, 'readText'>): Promise<GroupMemory | null> {
  const own = await read(files, '/proc/self/cgroup');
  let tightest: GroupMemory | null = null;
  for (const controller of CONTROLLERS) {
    const path = controller.entry.exec(own ?? '')?.[1];
    if (path === undefined) continue;
    for (const folder of controller.mounts.flatMap((mount) => groupFolders(mount, path))) {
      const limit = await read(files, `${folder}/${controller.limit}`);
      if (limit === null || limit.trim() === 'max') continue;
      const [usage, stat] = await Promise.all([
        read(files, `${folder}/${controller.usage}`),
        read(files, `${folder}/memory.stat`),
      ]);
      const group = parseGroup(limit, usage, stat, controller.inactiveFile);
      if (group && (!tightest || group.limitBytes < tightest.limitBytes)) tightest = group;
    }
  }
  return tightest;
}

/** Groups come and go: an unreadable file counts as missing. */
async function read(files: Pick<FileStore, 'readText'>, path: string): Promise<string | null> {
  return files.readText(path).catch(() => null);
}

function kilobytes(text: string, name: string): number {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`/proc/meminfo has no ${name}`);
  return Number(value) * 1024;
}
