import { expect, it } from 'vitest';
import { MEMORY_CLASSES } from '../../../src/main/models/catalogue-table';
import { runPairs } from '../../bench/memory/pairs';
import { CLASS_MACS } from '../../bench/memory/published-macs';

it('simulated Macs exist in every size of the catalogue', () => {
  expect(CLASS_MACS.map(({ name }) => Number(name))).toEqual([...MEMORY_CLASSES]);
});

it('the proposed pair runs on small simulated Macs without an abort', () => {
  const small = CLASS_MACS.filter(({ name }) => ['8', '16', '32'].includes(name));
  for (const { machine, outcome } of runPairs(1, 1, small)) {
    expect(outcome.aborts, machine).toBe(0);
    expect(outcome.answers, machine).toBeGreaterThan(0);
  }
});
