import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  createMacosSampler,
  parseMemoryPressure,
  parseSysctl,
  parseVmStat,
  usedBytes,
} from '../../../src/main/memory/macos-sampler';

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/memory/${name}`, import.meta.url), 'utf8');
const GiB = 1024 ** 3;

/** A Mac whose programs print these texts; a missing one cannot be run. */
function mac(programs: Record<string, string>) {
  return createMacosSampler(async (command) => {
    const text = programs[command.split('/').at(-1) ?? ''];
    if (text === undefined) throw new Error(`${command}: not found`);
    return text;
  });
}

describe('parseVmStat', () => {
  it('reads real output', () => {
    expect(parseVmStat(fixture('vm_stat-intel-32gb.txt'))).toEqual({
      pageSize: 4096,
      anonymous: 464333,
      purgeable: 11820,
      wired: 715958,
      compressor: 0,
    });
  });

  it('matches Activity Monitor on the same machine, within 2 %', () => {
    const pages = parseVmStat(fixture('vm_stat-activity-monitor.txt'));
    if (!pages || pages.anonymous === null) throw new Error('not read');
    const shown = 17.39;
    expect(Math.abs(usedBytes({ ...pages, anonymous: pages.anonymous }) / GiB - shown) / shown).toBeLessThan(
      0.02,
    );
  });

  it.each([
    ['another text', 'command not found'],
    ['a lost line', fixture('vm_stat-intel-32gb.txt').replace(/^Pages wired.*\n/m, '')],
    ['no page size', fixture('vm_stat-intel-32gb.txt').replace(/page size of \d+/, '')],
  ])('returns null for %s', (_name, text) => {
    expect(parseVmStat(text)).toBeNull();
  });
});

describe('parseSysctl and parseMemoryPressure', () => {
  it('read real output', () => {
    expect(parseSysctl(fixture('sysctl-m1-16gb.txt')).get('vm.page_pageable_internal_count')).toBe(450876);
    expect(parseSysctl(fixture('sysctl-critical.txt')).get('kern.memorystatus_vm_pressure_level')).toBe(4);
    expect(parseMemoryPressure(fixture('memory_pressure-q.txt'))).toBe(60);
    expect(parseMemoryPressure('The system has nothing to say')).toBeNull();
  });
});

describe('the macOS sampler', () => {
  const sysctl = (memsize: number, level: string) =>
    `hw.memsize: ${memsize}\nhw.pagesize: 16384\n${level === '' ? '' : `kern.memorystatus_vm_pressure_level: ${level}\n`}`;

  it('counts anonymous minus purgeable, wired and compressor pages of the real size', async () => {
    const sampler = mac({ sysctl: sysctl(64 * GiB, '2'), vm_stat: fixture('vm_stat-apple-silicon.txt') });
    expect(await sampler.sample()).toEqual({
      totalBytes: 64 * GiB,
      usedBytes: (2_000_000 - 50_000 + 700_000 + 234_304) * 16384,
      kernelLevel: 2,
      source: 'vm_stat',
    });
  });

  it('reads the anonymous pages from sysctl when vm_stat does not report them', async () => {
    const vmStat = fixture('vm_stat-apple-silicon.txt').replace(/^Anonymous.*\n/m, '');
    const sample = await mac({ sysctl: fixture('sysctl-m1-16gb.txt'), vm_stat: vmStat }).sample();
    expect(sample.usedBytes).toBe((450_876 - 50_000 + 700_000 + 234_304) * 16384);
    await expect(mac({ sysctl: sysctl(64 * GiB, '1'), vm_stat: vmStat }).sample()).rejects.toThrow(
      'anonymous',
    );
  });

  it.each([
    ['', null],
    ['3', null],
    ['1', 1],
    ['4', 4],
  ])('maps kernel level %j to %j', async (level, expected) => {
    const sampler = mac({ sysctl: sysctl(64 * GiB, level), vm_stat: fixture('vm_stat-apple-silicon.txt') });
    expect((await sampler.sample()).kernelLevel).toBe(expected);
  });

  it('uses memory_pressure when vm_stat fails', async () => {
    const programs = { sysctl: sysctl(16 * GiB, '1'), memory_pressure: fixture('memory_pressure-q.txt') };
    expect(await mac(programs).sample()).toEqual({
      totalBytes: 16 * GiB,
      usedBytes: Math.round(16 * GiB * 0.4),
      kernelLevel: 1,
      source: 'memory_pressure',
    });
  });

  it('rejects when nothing can be read', async () => {
    await expect(mac({ sysctl: '', vm_stat: fixture('vm_stat-apple-silicon.txt') }).sample()).rejects.toThrow(
      'hw.memsize',
    );
    await expect(mac({ sysctl: sysctl(GiB, '1') }).sample()).rejects.toThrow('memory_pressure');
    await expect(mac({ sysctl: sysctl(GiB, '1'), memory_pressure: 'x' }).sample()).rejects.toThrow(
      'memory_pressure',
    );
  });
});
