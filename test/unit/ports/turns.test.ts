import { stat } from 'node:fs';
import { expect, it } from 'vitest';
import { nextTurn } from '../../../src/main/ports/turns';

it('each turn of the event loop runs one slice of all long work, in order', async () => {
  const ran: string[] = [];
  let loop = 0;
  let counting = true;
  const count = () => {
    loop += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const work = async (name: string) => {
    for (let slice = 0; slice < 3; slice += 1) {
      await nextTurn();
      ran.push(`${name}${slice}@${loop}`);
    }
  };
  await Promise.all([work('a'), work('b'), work('c')]);
  counting = false;
  expect(ran.map((entry) => entry.slice(0, 2))).toEqual([
    'a0',
    'b0',
    'c0',
    'a1',
    'b1',
    'c1',
    'a2',
    'b2',
    'c2',
  ]);
  expect(new Set(ran.map((entry) => entry.split('@')[1])).size).toBe(9);
});

it('the first slice after a callback of a file or socket waits for a whole turn of the event loop', async () => {
  let loops = 0;
  let counting = true;
  const count = () => {
    loops += 1;
    if (counting) setImmediate(count);
  };
  await new Promise<void>((resolve) => stat('.', () => resolve()));
  setImmediate(count);
  await nextTurn();
  counting = false;
  expect(loops).toBe(2);
});
