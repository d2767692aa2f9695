import { describe, expect, it } from 'vitest';
import { LineReader } from '../../../src/main/ports/line-reader';
import { seeded } from '../../support/seeded';

const tooLong = () => new Error('too long');

/** Bytes that count how many of them are searched. */
class CountedBytes extends Uint8Array {
  static scanned = 0;
  override indexOf(byte: number, from = 0): number {
    const found = super.indexOf(byte, from);
    CountedBytes.scanned += (found === -1 ? this.length : found + 1) - from;
    return found;
  }
}

function* pieces(text: string, size: () => number): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    const end = at + size();
    yield bytes.subarray(at, end);
    at = end;
  }
}

describe('LineReader', () => {
  it('returns the same lines wherever the bytes are split', () => {
    const random = seeded(3);
    const lines = ['', 'a', 'é€😀', '{"text":"\\n"}', 'x'.repeat(9_000), ' ', 'Привет'];
    for (let round = 0; round < 300; round += 1) {
      const expected = Array.from({ length: 12 }, () => lines[Math.floor(random() * lines.length)]);
      const reader = new LineReader(10_000, tooLong);
      const largest = random() < 0.5 ? 3 : 5_000;
      const got: string[] = [];
      for (const part of pieces(`${expected.join('\n')}\nend`, () => 1 + Math.floor(random() * largest)))
        got.push(...reader.push(part));
      expect([got, reader.rest()]).toEqual([expected, 'end']);
      expect(reader.rest()).toBe('');
    }
  });

  it('searches each byte of a long line once', () => {
    const piece = new CountedBytes(16 * 1024).fill(0x61);
    const reader = new LineReader(8 * 1024 * 1024, tooLong);
    CountedBytes.scanned = 0;
    for (let sent = 0; sent < 512; sent += 1) expect([...reader.push(piece)]).toEqual([]);
    expect(CountedBytes.scanned).toBe(8 * 1024 * 1024);
    expect([...reader.push(Buffer.from('\n'))][0]).toHaveLength(8 * 1024 * 1024);
  });

  it.each([
    ['in one piece', () => 5_000],
    ['in many', () => 7],
  ])('rejects a line over its limit that arrives %s', (_how, size) => {
    const reader = new LineReader(100, tooLong);
    const read = () => {
      for (const part of pieces(`short\n${'x'.repeat(101)}\n`, size)) for (const _line of reader.push(part));
    };
    expect(read).toThrow('too long');
  });
});
