import type { MemorySample, MemorySampler } from './types';

/** Runs a program and resolves with its stdout, even if it exits with an error; rejects if it cannot run. */
export type RunCommand = (command: string, args: readonly string[]) => Promise<string>;

/** Page counts of `vm_stat` that `usedBytes` needs. */
export interface VmStat {
  pageSize: number;
  anonymous: number | null;
  purgeable: number;
  wired: number;
  compressor: number;
}

const SYSCTL_NAMES = [
  'hw.memsize',
  'hw.pagesize',
  'vm.page_pageable_internal_count',
  'kern.memorystatus_vm_pressure_level',
];

/**
 * macOS: (anonymous − purgeable + wired + compressor pages) × page size, which is Activity Monitor's "Memory Used";
 * file cache is not counted. The pressure level is the kernel's own. If `vm_stat` fails, `memory_pressure` gives a
 * coarser figure.
 */
export function createMacosSampler(run: RunCommand): MemorySampler {
  return {
    async sample() {
      const [sysctlText, vmStatText] = await Promise.all([
        run('/usr/sbin/sysctl', SYSCTL_NAMES),
        run('/usr/bin/vm_stat', []).catch(() => ''),
      ]);
      const sysctl = parseSysctl(sysctlText);
      const totalBytes = sysctl.get('hw.memsize');
      if (!totalBytes) throw new Error('sysctl tells no hw.memsize');
      const kernelLevel = toKernelLevel(sysctl.get('kern.memorystatus_vm_pressure_level'));
      const vmStat = parseVmStat(vmStatText);
      if (vmStat) {
        const anonymous = vmStat.anonymous ?? sysctl.get('vm.page_pageable_internal_count');
        if (anonymous === undefined) throw new Error('neither vm_stat nor sysctl tells the anonymous pages');
        return { totalBytes, usedBytes: usedBytes({ ...vmStat, anonymous }), kernelLevel, source: 'vm_stat' };
      }
      return coarse(totalBytes, kernelLevel, await run('/usr/bin/memory_pressure', ['-Q']));
    },
  };
}

/** Bytes in use by the definition above. */
export function usedBytes(pages: VmStat & { anonymous: number }): number {
  return (pages.anonymous - pages.purgeable + pages.wired + pages.compressor) * pages.pageSize;
}

/** Null if the text is not `vm_stat` output or lacks a count. */
export function parseVmStat(text: string): VmStat | null {
  const pageSize = Number(/page size of (\d+) bytes/.exec(text)?.[1] ?? Number.NaN);
  const count = (name: string): number | null => {
    const value = new RegExp(`^"?${name}"?:\\s+(\\d+)\\.?\\s*$`, 'm').exec(text)?.[1];
    return value === undefined ? null : Number(value);
  };
  const purgeable = count('Pages purgeable');
  const wired = count('Pages wired down');
  const compressor = count('Pages occupied by compressor');
  if (!(pageSize > 0) || purgeable === null || wired === null || compressor === null) return null;
  return { pageSize, anonymous: count('Anonymous pages'), purgeable, wired, compressor };
}

/** `name: number` lines; others are ignored. */
export function parseSysctl(text: string): Map<string, number> {
  const lines = text.matchAll(/^([\w.]+):\s+(\d+)\s*$/gm);
  return new Map(Array.from(lines, ([, name = '', value = '']) => [name, Number(value)]));
}

/** Free share in percent from `memory_pressure`; null if the line is missing. */
export function parseMemoryPressure(text: string): number | null {
  const percent = /^System-wide memory free percentage:\s*(\d+)%/m.exec(text)?.[1];
  return percent === undefined ? null : Number(percent);
}

function coarse(totalBytes: number, kernelLevel: MemorySample['kernelLevel'], text: string): MemorySample {
  const free = parseMemoryPressure(text);
  if (free === null) throw new Error('neither vm_stat nor memory_pressure could be read');
  return {
    totalBytes,
    usedBytes: Math.round(totalBytes * (1 - free / 100)),
    kernelLevel,
    source: 'memory_pressure',
  };
}

function toKernelLevel(level: number | undefined): MemorySample['kernelLevel'] {
  return level === 1 || level === 2 || level === 4 ? level : null;
}
