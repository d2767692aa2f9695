import { expect, test } from 'vitest';
import { systemClock } from '../../../src/main/ports/clock';

test('a timeout of months does not fire at once', async () => {
  const due: string[] = [];
  const cancels = [
    systemClock.after(1e12, () => due.push('after')),
    systemClock.every(1e12, () => due.push('every')),
  ];
  await new Promise<void>((later) => systemClock.after(5, later));
  for (const cancel of cancels) cancel();
  expect(due).toEqual([]);
});
