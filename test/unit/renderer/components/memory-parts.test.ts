import { describe, expect, it } from 'vitest';
import { memoryParts } from '../../../../src/renderer/components/memory-parts';
import { memoryStatus } from '../../../support/fake-snapshot';

describe('memoryParts', () => {
  it('sums to the used memory', () => {
    const memory = memoryStatus({ totalBytes: 100, usedBytes: 60, backendBytes: { mlx: 10, ollama: 20 } });
    expect(memoryParts(memory).map(({ id, bytes, percent }) => [id, bytes, percent])).toEqual([
      ['system', 30, 30],
      ['mlx', 10, 10],
      ['ollama', 20, 20],
    ]);
  });

  it('never shows more than the used memory, whatever the servers report', () => {
    const memory = memoryStatus({ totalBytes: 100, usedBytes: 60, backendBytes: { mlx: 50, ollama: 80 } });
    const parts = memoryParts(memory);
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(60);
    expect(parts.map((part) => part.id)).toEqual(['mlx', 'ollama']);
  });

  it('leaves out unknown figures', () => {
    const memory = memoryStatus({
      totalBytes: 100,
      usedBytes: 60,
      backendBytes: { mlx: null, ollama: null },
    });
    expect(memoryParts(memory).map((part) => part.id)).toEqual(['system']);
  });
});
