import { describe, expect, it } from 'vitest';
import { BodyParts } from '../../../src/main/gateway/body-parts';
import { seeded } from '../../support/seeded';

const KB = 1024;

function partsOf(sizes: readonly number[]) {
  const parts = new BodyParts();
  const sent = sizes.map((size, index) => Buffer.alloc(size, index));
  for (const chunk of sent) parts.add(chunk);
  return { parts, sent: Buffer.concat(sent) };
}

describe('the chunks of a body', () => {
  it('are few, however small each of them is', () => {
    const { parts, sent } = partsOf(Array(300 * KB).fill(1));
    expect(parts.bytes).toBe(300 * KB);
    const whole = parts.take();
    expect(whole.length).toBeLessThanOrEqual(5);
    expect(Buffer.concat(whole).equals(sent)).toBe(true);
  });

  it('are few where large and small ones take turns', () => {
    const { parts, sent } = partsOf(Array.from({ length: 200 }, (_, index) => (index % 2 ? 40 * KB : 1)));
    const whole = parts.take();
    expect(whole.length).toBeLessThanOrEqual(200);
    expect(Buffer.concat(whole).equals(sent)).toBe(true);
    // The small ones share one slab.
    expect(new Set(whole.filter(({ length }) => length === 1).map(({ buffer }) => buffer)).size).toBe(1);
  });

  it('are the same bytes in the same order, whatever their sizes', () => {
    const random = seeded(3);
    for (let round = 0; round < 50; round += 1) {
      const sizes = Array.from({ length: 40 }, () => Math.floor(random() ** 3 * 100 * KB));
      const { parts, sent } = partsOf(sizes);
      expect(Buffer.concat(parts.take()).equals(sent)).toBe(true);
      expect(parts.take()).toEqual([]);
    }
  });
});
