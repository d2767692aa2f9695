import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import { ProcessFamily } from '../../../src/main/supervisor/process-family';
import type { ChildRecord } from '../../../src/main/supervisor/sweep';
import { settle } from '../../support/fake-clock';
import { FakeChild, FakeProcessTable } from '../../support/fake-processes';

/** A process table that lists children slowly. */
class SlowTable extends FakeProcessTable {
  answer: () => void = () => {};

  override async descendants(pid: number): Promise<number[]> {
    await new Promise<void>((resolve) => {
      this.answer = resolve;
    });
    return super.descendants(pid);
  }
}

function create() {
  const table = new SlowTable();
  table.running.set(1000, { startedAt: 'a', group: 1000, obeys: [] });
  const written: ChildRecord[] = [];
  const records = { put: async (record: ChildRecord) => void written.push(record), remove: async () => {} };
  const family = new ProcessFamily('ollama', { table, records, logger: silentLogger });
  return { family, table, written };
}

test('a new process is recorded before its children are known, and then never without them', async () => {
  const { family, table, written } = create();
  const leader = { kind: 'ollama', pid: 1000, startedAt: 'a' };
  void family.record(new FakeChild(1000), () => true);
  await settle();
  expect(written).toEqual([{ ...leader, descendants: [] }]);
  table.running.set(1001, { startedAt: 'b', group: 1000, obeys: [], parent: 1000 });
  table.answer();
  await settle();
  const whole = { ...leader, descendants: [{ pid: 1001, startedAt: 'b' }] };
  expect(written.slice(1)).toEqual([whole]);

  void family.record(new FakeChild(1000), () => true);
  await settle();
  table.answer();
  await settle();
  expect(written.slice(2)).toEqual([whole]);
});

test('one that was abandoned meanwhile is not recorded', async () => {
  const { family, written } = create();
  void family.record(new FakeChild(1000), () => false);
  await settle();
  expect(written).toEqual([]);
});
