import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { managedDir, removeOldVersions } from '../../../resources/setup/lib/managed-dir.js';
import { instancesUsing } from '../../../resources/setup/lib/runtime-marks.js';
import { silentLogger } from '../../../src/main/ports/logger';
import { createProcessTable } from '../../../src/main/ports/node-process-table';
import { RuntimeMarks } from '../../../src/main/setup/runtime-marks';
import { listRuntimes, removeRuntime } from '../../../src/main/setup/runtimes';
import { FakeProcessTable } from '../../support/fake-processes';
import { tempDir } from '../../support/temp-dir';

let runtimeDir: string;
let table: FakeProcessTable;
const python = (version: string) => join(runtimeDir, `mlx-${version}`, 'bin/python');

beforeEach(() => {
  runtimeDir = join(tempDir(), 'runtimes');
  table = new FakeProcessTable().add(101, 'first start').add(102, 'second start');
  for (const version of ['0.1.0', '0.2.0', '0.3.0', '0.4.0']) {
    mkdirSync(join(runtimeDir, `mlx-${version}`), { recursive: true });
    writeFileSync(join(runtimeDir, `mlx-${version}`, 'tandem-runtime.json'), '{}');
  }
});

const instance = (pid: number) => new RuntimeMarks({ runtimeDir, table, pid, logger: silentLogger });
const marks = () => readdirSync(runtimeDir).filter((name) => name.startsWith('.in-use-'));
const startOf = (pid: number) => table.running.get(pid)?.startedAt;

describe('a runtime that another instance uses', () => {
  it('is not offered for removal, and is not removed', async () => {
    const [first, second] = [instance(101), instance(102)];
    await first.use([python('0.3.0'), '/usr/bin/ollama']);
    await second.use([python('0.4.0')]);
    const inUse = (await listRuntimes(runtimeDir, await second.others())).map((runtime) => runtime.inUse);
    expect(inUse).toEqual([false, false, true, false]);
    let released = false;
    const remove = async (version: string) =>
      removeRuntime({ runtimeDir, name: 'mlx', version }, await second.others(), async () => {
        released = true;
      });
    await expect(remove('0.3.0')).rejects.toMatchObject({ code: 'runtime_in_use' });
    expect([released, existsSync(join(runtimeDir, 'mlx-0.3.0'))]).toEqual([false, true]);
    await first.close();
    await remove('0.3.0');
    expect([released, existsSync(join(runtimeDir, 'mlx-0.3.0'))]).toEqual([true, false]);
    expect(marks()).toEqual(['.in-use-102.json']);
  });

  it('is released with an instance that died, even when its pid is another process by now', async () => {
    const [first, second] = [instance(101), instance(102)];
    await first.use([python('0.3.0')]);
    table.running.delete(101);
    table.add(101, 'much later');
    expect(await second.others()).toEqual([]);
    expect(marks()).toEqual([]);
  });

  it('is added while the instance runs, and removed with the runtime', async () => {
    const [first, second] = [instance(101), instance(102)];
    await first.use([python('0.3.0')]);
    await first.use([python('0.4.0')]);
    expect(await second.others()).toEqual([python('0.3.0'), python('0.4.0')]);
    await first.forget(join(runtimeDir, 'mlx-0.3.0'));
    expect(await second.others()).toEqual([python('0.4.0')]);
    await first.close();
    await first.use([python('0.3.0')]);
    expect(marks()).toEqual([]);
  });

  it('is ignored when its mark is damaged', async () => {
    writeFileSync(join(runtimeDir, '.in-use-7.json'), '{"pid":');
    writeFileSync(join(runtimeDir, '.in-use-102.json.102'), '');
    expect(await instance(101).others()).toEqual([]);
    expect(marks()).toEqual(['.in-use-102.json.102']);
  });
});

describe('the set-up', () => {
  it('reads the same marks, and clears those of dead instances', async () => {
    await instance(101).use([python('0.1.0')]);
    await instance(102).use([python('0.2.0')]);
    table.running.delete(102);
    expect(instancesUsing(runtimeDir, startOf)).toEqual([{ pid: 101, paths: [python('0.1.0')] }]);
    expect(marks()).toEqual(['.in-use-101.json']);
  });

  it('keeps an old version that a running Tandem uses', async () => {
    const here = new RuntimeMarks({
      runtimeDir,
      table: createProcessTable(),
      pid: process.pid,
      logger: silentLogger,
    });
    await here.use([python('0.1.0')]);
    const mark = JSON.parse(readFileSync(join(runtimeDir, `.in-use-${process.pid}.json`), 'utf8'));
    expect(mark).toMatchObject({ pid: process.pid, paths: [python('0.1.0')] });
    expect(removeOldVersions(managedDir(runtimeDir, 'mlx', '0.4.0'))).toEqual([
      join(runtimeDir, 'mlx-0.2.0'),
    ]);
  });
});
