import { describe, expect, it } from 'vitest';
import type { GpuPanic } from '../../../src/main/incidents/panic-reports';
import { PanicWatch, type Retreat } from '../../../src/main/incidents/panic-watch';
import { silentLogger } from '../../../src/main/ports/logger';
import type { ReportFolder } from '../../../src/main/ports/report-folder';
import type { Warning } from '../../../src/shared/contract';
import { FakeClock } from '../../support/fake-clock';

/** Doubles only: no panic can be caused here. The texts are those of published reports. */

const UNDERFLOW = String.raw`{"bug_type":"210"}
{"panicString":"panic(cpu 10 caller 0xfffffe00448ba69c): \"completeMemory() prepare count underflow\" @IOGPUMemory.cpp:550\nDebugger message: panic\nPanicked task 0xfffffe1c: 44640 pages, 31 threads: pid 49042: python3.13\nPanicked thread: 0x1"}`;
const NOT_FOUND = String.raw`{"panicString":"panic(cpu 0): \"IOGPUGroupMemory::remove_memory_object() memory object not found\" @IOGPUGroupMemory.cpp:323"}`;
const ANOTHER = `{"panicString":"panic(cpu 1 caller 0xff): watchdog timeout: no checkins from watchdogd"}`;

const START = Date.parse('2026-11-20T10:00:00Z');

interface Report {
  name: string;
  changedAt: number;
  text: string;
}

function watch(
  reports: Report[],
  lastLook: number | null = START - 1000,
  done: Partial<Retreat> = {},
  folder: Partial<ReportFolder> = {},
) {
  const clock = new FakeClock(new Date(START));
  const files = new Map<string, string>();
  if (lastLook !== null) files.set('look', JSON.stringify({ version: 1, at: lastLook }));
  const found: { panic: GpuPanic; warning: Warning }[] = [];
  const panics = new PanicWatch({
    reports: {
      list: async (_folder, ending) => reports.filter(({ name }) => name.endsWith(ending)),
      read: async (path, most) =>
        (reports.find(({ name }) => path.endsWith(name))?.text ?? '').slice(0, most),
      ...folder,
    },
    files: {
      readText: async (path) => files.get(path) ?? null,
      replace: async (path, text) => void files.set(path, text),
    },
    path: 'look',
    clock,
    logger: silentLogger,
    retreat: async () => ({ changed: [], held: [], ...done }),
    onPanic: (panic, warning) => found.push({ panic, warning }),
  });
  return { clock, files, found, panics };
}

const report = (text: string, changedAt = START - 500, name = 'panic-full-2026-11-20.panic') => ({
  ...{ name, changedAt, text },
});

describe('after a restart of the Mac', () => {
  it.each([
    [UNDERFLOW, 'completeMemory() prepare count underflow', 'python3.13'],
    [NOT_FOUND, 'remove_memory_object() memory object not found', null],
  ])('recognises both panics: %#', async (text, panic, program) => {
    const { panics, found } = watch([report(text)]);
    await panics.start();
    expect(found.map((each) => each.panic)).toEqual([{ at: START - 500, panic, program }]);
    expect(found[0]?.warning).toMatchObject({ code: 'kernel_panic', details: { panic } });
    panics.stop();
  });

  it.each([
    ['another panic', [report(ANOTHER)], START - 1000],
    ['a report from before the last run', [report(UNDERFLOW, START - 2000)], START - 1000],
    ['no earlier run', [report(UNDERFLOW)], null],
    ['another kind of report', [report(UNDERFLOW, START - 500, 'python3.ips')], START - 1000],
  ])('stays silent about %s', async (_name, reports, lastLook) => {
    const { panics, found } = watch(reports, lastLook);
    await panics.start();
    expect(found).toEqual([]);
    panics.stop();
  });

  it('says each panic once, also one whose report is written after the login', async () => {
    const reports: Report[] = [];
    const { panics, found, clock } = watch(reports);
    await panics.start();
    reports.push(report(UNDERFLOW, START + 60_000));
    await clock.advance(120_000);
    expect(found.length).toBe(1);
    await panics.start();
    expect(found.length).toBe(1);
    panics.stop();
    expect(clock.pending).toBe(0);
  });

  it.each([
    [{ changed: ['MLX_WIRED_PERCENT 50 → 0'] }, 'Tandem has reset MLX_WIRED_PERCENT 50 → 0'],
    [{ held: ['MLX_WIRED_PERCENT'] }, 'Unset MLX_WIRED_PERCENT'],
    [{ changed: ['A 2 → 1'], held: ['B'] }, 'Tandem has reset A 2 → 1. Unset B and start Tandem again.'],
    [{}, 'Tandem has changed nothing'],
  ])('says what was changed: %j', async (done, words) => {
    const { panics, found } = watch([report(UNDERFLOW)], START - 1000, done);
    await panics.start();
    expect(found[0]?.warning.message).toContain(words);
    expect(found[0]?.warning.message).toContain('Install macOS updates');
    panics.stop();
  });

  it('looks again where a look failed, and skips a report that cannot be read', async () => {
    const reports = [report(UNDERFLOW), report('', START - 400, 'unreadable.panic')];
    let listed = 0;
    const { panics, found, clock } = watch(
      reports,
      START - 1000,
      {},
      {
        list: async () => {
          listed += 1;
          if (listed === 1) throw new Error('EACCES');
          return reports;
        },
        read: async (path) => {
          if (path.endsWith('unreadable.panic')) throw new Error('EACCES');
          return UNDERFLOW;
        },
      },
    );
    await panics.start();
    expect(found).toEqual([]);
    await clock.advance(120_000);
    expect(found.length).toBe(1);
    panics.stop();
  });

  it('a folder that cannot be read, or a damaged file of its own, stops nothing', async () => {
    const { panics, found, files } = watch([report(UNDERFLOW)]);
    files.set('look', '{');
    await panics.start();
    expect(found).toEqual([]);
    panics.stop();
    const unreadable = new PanicWatch({
      reports: { list: () => Promise.reject(new Error('EACCES')), read: async () => '' },
      files: { readText: async () => JSON.stringify({ version: 1, at: 1 }), replace: async () => {} },
      ...{ path: 'look', clock: new FakeClock(), logger: silentLogger },
      retreat: async () => ({ changed: [], held: [] }),
      onPanic: () => expect.unreachable(),
    });
    await unreadable.start();
    unreadable.stop();
  });
});
