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
    expect(whole.length).toBeLessThanOrEqual(64 + 5);
    expect(Buffer.concat(whole).equals(sent)).toBe(true);
  });

  it('are not copied while they are few', () => {
    const parts = new BodyParts();
    const sent = [Buffer.from('{"model":'), Buffer.from('"auto"}')];
    for (const chunk of sent) parts.add(chunk);
    const whole = parts.take();
    expect(whole.map((part, index) => part === sent[index])).toEqual([true, true]);
  });

  it('are few where large and small ones take turns', () => {
    const { parts, sent } = partsOf(Array.from({ length: 200 }, (_, index) => (index % 2 ? 40 * KB : 1)));
    const whole = parts.take();
    expect(whole.length).toBeLessThanOrEqual(200);
    expect(Buffer.concat(whole).equals(sent)).toBe(true);
    // From a certain number on, the small ones share one buffer.
    const late = whole.slice(64).filter(({ length }) => length === 1);
    expect(late.length).toBeGreaterThan(50);
    expect(new Set(late.map(({ buffer }) => buffer)).size).toBe(1);
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
