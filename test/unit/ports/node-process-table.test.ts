import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createProcessTable,
  descendantsOf,
  parseCpuTime,
  parseFootprints,
} from '../../../src/main/ports/node-process-table';

/** A process without a shell that starts a child and waits. */
async function family(): Promise<{ parent: number; child: number; end(): Promise<void> }> {
  const script =
    "const c=require('child_process').spawn(process.execPath,['-e','setInterval(()=>{},1e6)']);console.log(c.pid);setInterval(()=>{},1e6)";
  const parent = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(parent, 'exit');
  const table = createProcessTable();
  const end = async () => {
    if (parent.pid !== undefined) table.signalGroup(parent.pid, 'SIGKILL');
    await exited;
  };
  onTestFinished(end);
  const [line] = await once(parent.stdout, 'data');
  return { parent: parent.pid ?? 0, child: Number(String(line)), end };
}

test('the footprint of each process is parsed from the output of macOS `top`', () => {
  const text = [
    'Processes: 512 total, 3 running, 509 sleeping, 2811 threads',
    'PhysMem: 61G used (4012M wired, 8211M compressor), 2G unused.',
    '',
    'PID    MEM',
    '4711   21G+',
    '812    9413M-',
    '99*    1024K',
    '1      0B',
  ].join('\n');
  expect([...parseFootprints(text)]).toEqual([
    [4711, 21 * 1024 ** 3],
    [812, 9413 * 1024 ** 2],
    [99, 1024 ** 2],
    [1, 0],
  ]);
});

// `ps` prints the same on macOS and Linux, so its parser is tested on both; `/proc` only where it exists.
const platforms = process.platform === 'linux' ? (['linux', 'darwin'] as const) : (['darwin'] as const);

describe.each(platforms)('process table as on %s', (platform) => {
  const table = createProcessTable(platform);

  test('identifies a process by pid and start time, its family and its memory', async () => {
    const { parent, child, end } = await family();
    const identity = await table.identify(parent);
    expect(identity?.pid).toBe(parent);
    expect(identity?.startedAt).not.toBe('');
    expect(await table.identify(parent)).toEqual(identity);
    expect((await table.commandLine(parent))?.split(' ')[0]).toBe(process.execPath);
    expect(await table.commandLine(2 ** 30)).toBeNull();
    expect(await table.descendants(parent)).toContain(child);
    expect(await table.residentBytes(parent)).toBeGreaterThan(1_000_000);
    await end();
    expect(await table.identify(parent)).toBeNull();
    expect(await table.residentBytes(parent)).toBeNull();
    expect(await table.descendants(parent)).toEqual([]);
  });

  test('CPU time increases in a process that computes, and not in one that waits', async () => {
    const busy = spawn(process.execPath, ['-e', 'for (;;) Math.random();'], { stdio: 'ignore' });
    onTestFinished(() => void busy.kill('SIGKILL'));
    const { parent, end } = await family();
    const used = (pid: number | undefined) => table.cpuMs(pid ?? 0);
    const before = (await used(parent)) ?? 0;
    while (((await used(busy.pid)) ?? 0) < 300) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await used(parent)) ?? 0).toBeLessThan(before + 300);
    await end();
    expect(await table.cpuMs(parent)).toBeNull();
  });

  test('distinguishes a paused process from one that waits', async () => {
    const { parent, end } = await family();
    expect(await table.isSuspended(parent)).toBe(false);
    process.kill(parent, 'SIGSTOP');
    while (!(await table.isSuspended(parent))) await new Promise((resolve) => setTimeout(resolve, 5));
    await end();
    expect(await table.isSuspended(parent)).toBe(false);
  });

  test('a signal reaches one process by pid and start time, and no other', async () => {
    const { parent, child, end } = await family();
    const identity = await table.identify(child);
    if (!identity) throw new Error('the child does not live');
    expect(await table.signal({ ...identity, startedAt: 'another day' }, 'SIGKILL')).toBe(false);
    expect(await table.identify(child)).toEqual(identity);
    expect(await table.signal(identity, 'SIGKILL')).toBe(true);
    while ((await table.descendants(parent)).includes(child))
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await table.signal(identity, 'SIGKILL')).toBe(false);
    expect(await table.identify(parent)).not.toBeNull();
    await end();
  });

  test('a signal to a group that has gone, or that would address all processes, does nothing', () => {
    for (const pid of [999_999_999, 1, 0, -1, Number.NaN]) {
      expect(() => table.signalGroup(pid, 'SIGTERM')).not.toThrow();
    }
  });
});

test('CPU time as `ps` prints it, in ms', () => {
  expect(parseCpuTime('  0:03.45')).toBe(3450);
  expect(parseCpuTime('123:04.00')).toBe(123 * 60_000 + 4000);
  expect(parseCpuTime('01:02:03')).toBe(3_723_000);
  expect(parseCpuTime('2-01:02:03')).toBe(2 * 86_400_000 + 3_723_000);
  expect(parseCpuTime('')).toBeNull();
  expect(parseCpuTime('TIME')).toBeNull();
});

test('descendants of all generations, parents first, without unrelated processes', () => {
  const rows = [
    { pid: 30, parent: 20 },
    { pid: 20, parent: 10 },
    { pid: 99, parent: 1 },
    { pid: 21, parent: 10 },
  ];
  expect(descendantsOf(10, rows)).toEqual([20, 21, 30]);
});
