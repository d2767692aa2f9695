import { expect, it } from 'vitest';
import { runPairs } from '../../bench/memory/pairs';
import { MEMORY_CLASSES } from '../../bench/memory/published-macs';

it('the proposed pair runs on a simulated Mac of every size without an abort', () => {
  const results = runPairs(1, 1);
  expect(results.map(({ machine }) => Number(machine))).toEqual(MEMORY_CLASSES);
  for (const { machine, outcome } of results) {
    expect(outcome.aborts, machine).toBe(0);
    expect(outcome.answers, machine).toBeGreaterThan(0);
  }
});
