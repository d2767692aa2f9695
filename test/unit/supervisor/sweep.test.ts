import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import { ChildRecords, sweepOrphans } from '../../../src/main/supervisor/sweep';
import { FakeClock } from '../../support/fake-clock';
import { FakeProcessTable } from '../../support/fake-processes';

let folder: string;
let file: string;
let clock: FakeClock;
let table: FakeProcessTable;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-sweep-'));
  file = join(folder, 'data', 'children.json');
  clock = new FakeClock();
  table = new FakeProcessTable();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The children that the dead instance had. */
async function deadInstance(): Promise<void> {
  const records = new ChildRecords(file);
  await records.put({ kind: 'mlx', pid: 100, startedAt: 'a', descendants: [] });
  await records.put({
    kind: 'ollama',
    pid: 200,
    startedAt: 'b',
    descendants: [{ pid: 201, startedAt: 'c' }],
  });
}

/** Runs the sweep while time passes. */
async function sweep(): Promise<number> {
  let swept: number | null = null;
  const run = sweepOrphans(new ChildRecords(file), { table, clock, logger: silentLogger }, 2000);
  void run.then((count) => {
    swept = count;
  });
  while (swept === null) await clock.advance(50);
  return run;
}

describe('sweep of the leftovers of a dead instance', () => {
  test('ends the recorded processes and forgets them', async () => {
    await deadInstance();
    table.add(100, 'a').add(200, 'b').add(201, 'c', 200);
    expect(await sweep()).toBe(2);
    expect([...table.running]).toEqual([]);
    expect(table.signals).toEqual([
      [100, 'SIGTERM'],
      [200, 'SIGTERM'],
    ]);
    expect(await sweep()).toBe(0);
  });

  test('a pid that now belongs to another process is left alone', async () => {
    await deadInstance();
    table.add(100, 'later').add(200, 'later').add(201, 'later', 200);
    expect(await sweep()).toBe(0);
    expect(table.signals).toEqual([]);
    expect(table.running.size).toBe(3);
  });

  test('a model runner that survived its server is ended through the group', async () => {
    await deadInstance();
    table.add(201, 'c', 200);
    expect(await sweep()).toBe(1);
    expect(table.running.size).toBe(0);
  });

  test('a process that ignores TERM gets KILL after the grace', async () => {
    await deadInstance();
    table.add(100, 'a', 100, ['SIGKILL']);
    await sweep();
    expect(table.signals).toEqual([
      [100, 'SIGTERM'],
      [100, 'SIGKILL'],
    ]);
    expect(clock.now()).toBeGreaterThanOrEqual(2000);
  });

  test('an unreadable file means nothing to sweep', async () => {
    await deadInstance();
    await writeFile(file, '{"version":1,"children":[{"pid":0}]');
    table.add(100, 'a');
    expect(await sweep()).toBe(0);
    expect(table.signals).toEqual([]);
  });

  test('the file is private, and does not list a child that has exited', async () => {
    const records = new ChildRecords(file);
    await records.put({ kind: 'mlx', pid: 100, startedAt: 'a', descendants: [] });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8')).children).toMatchObject([{ kind: 'mlx', pid: 100 }]);
    await records.remove(100);
    expect(JSON.parse(await readFile(file, 'utf8')).children).toEqual([]);
  });
});
