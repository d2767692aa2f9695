import { expect, it } from 'vitest';
import { HeldPushes } from '../../../../src/renderer/stores/held-pushes';

it('keeps pushes in their order until they are taken', () => {
  const held = new HeldPushes<number>();
  held.add(1);
  held.add(2);
  expect(held.take()).toEqual([1, 2]);
  expect(held.take()).toEqual([]);
});

it('keeps none when there are too many, and reports it once', () => {
  const held = new HeldPushes<number>();
  for (let n = 0; n <= 1_000; n += 1) held.add(n);
  held.add(-1);
  expect(held.take()).toBeNull();
  held.add(3);
  expect(held.take()).toEqual([3]);
});
