import { expect, it } from 'vitest';
import type { Death } from '../../../src/main/supervisor/life';
import { explainDeath } from '../../../src/main/supervisor/unified-log';
import { FakeClock } from '../../support/fake-clock';
import { FakeSpawner } from '../../support/fake-processes';

/** Doubles only: no other system than macOS has this log, and these lines follow its documented form. */

const DEATH: Death = {
  ...{ cause: 'unknown', pid: 812, exit: { code: null, signal: 'SIGABRT' }, evidence: [] },
  ...{ uptimeMs: 1, restarts: 0, circumstances: { pressure: 'normal', killerInFlight: false } },
};
const line = (processID: number, eventMessage: string) => `${JSON.stringify({ processID, eventMessage })}\n`;
const KILLED = 'IOGPUMetalError: Impacting Interactivity (0000000e:kIOGPUCommandBufferCallbackErrorImpacting';

function ask(death = DEATH) {
  const clock = new FakeClock();
  const spawner = new FakeSpawner();
  return { clock, spawner, answer: explainDeath({ clock, spawner }, death) };
}

it.each([
  ['Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)', 'out_of_memory'],
  ['Impacting Interactivity (0000000e:kIOGPUCommandBufferCallbackErrorImpactingInteractivity)', 'gpu_hang'],
  ['Caused GPU Address Fault Error (0000000b:kIOGPUCommandBufferCallbackErrorPageFault)', 'unknown'],
])('finds the cause in what the process logged: %s', async (words, cause) => {
  const { spawner, clock, answer } = ask();
  spawner.last.stdout.end(line(812, `IOGPUMetalError: ${words}`));
  await new Promise((resolve) => spawner.last.stdout.once('end', resolve));
  spawner.last.exit(0);
  expect(await answer).toMatchObject({ cause });
  expect(clock.pending).toBe(0);
  expect(spawner.specs[0]?.args.join(' ')).toContain('--last 2m --style ndjson');
});

it('ignores what another program did, and lines that are none', async () => {
  const { spawner, answer } = ask();
  spawner.last.stdout.end(`Filtering the log data\n${line(99, KILLED)}${line(812, 'nothing')}{"proc`);
  await new Promise((resolve) => spawner.last.stdout.once('end', resolve));
  spawner.last.exit(0);
  expect(await answer).toBeNull();
});

it('ends a search that takes too long, or finds too much', async () => {
  const late = ask();
  await late.clock.advance(20_000);
  expect(await late.answer).toBeNull();
  expect(late.spawner.last.signals).toEqual(['SIGKILL']);

  const much = ask();
  much.spawner.last.stdout.write(line(99, 'x'.repeat(6_000)).repeat(200));
  expect(await much.answer).toBeNull();
});

it('does not search for a process that was never started', async () => {
  const { spawner, answer } = ask({ ...DEATH, pid: null, exit: null });
  expect([await answer, spawner.specs]).toEqual([null, []]);
});
