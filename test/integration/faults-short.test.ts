import { join } from 'node:path';
import { expect, it } from 'vitest';
import { faults } from '../bench/faults/run';
import { tempDir } from '../support/temp-dir';

/** Forty quick faults of the fault benchmark (`npm run bench -- faults`), on the built host with both real servers. */

const COUNT = 40;

it('forty faults under load lose, double, mislabel and leak nothing', async () => {
  const { table, figures } = await faults({
    seed: 1,
    minutes: null,
    count: COUNT,
    resume: false,
    out: join(tempDir(), 'faults.jsonl'),
    shipped: false,
    only: null,
    short: true,
  });
  const broken = Object.entries(figures).filter(([, { correct, value }]) => correct && value !== 0);
  expect(
    broken.map(([name]) => name),
    table.join('\n'),
  ).toEqual([]);
  // A fault that arrives just as an answer ends has nothing to break.
  expect(figures['faults.effective']?.value, table.join('\n')).toBeGreaterThanOrEqual(COUNT * 0.9);
}, 1_500_000);
