import { describe, expect, it } from 'vitest';
import { addSample, SAMPLE_SPAN_MS, type Sample } from '../../../../src/renderer/stores/samples';
import { emptyQueue, fakeSnapshot, memoryStatus } from '../../../support/fake-snapshot';

function at(percent: number, depth = 0) {
  const queue = emptyQueue();
  return fakeSnapshot({
    memory: memoryStatus({ usedPercent: percent }),
    queue: { ...queue, stats: { ...queue.stats, depth } },
  });
}

describe('addSample', () => {
  it('keeps the last five minutes', () => {
    let history: readonly Sample[] = [];
    for (let minute = 0; minute <= 7; minute += 1) history = addSample(history, at(minute), minute * 60_000);
    expect(history.map((sample) => sample.memoryPercent)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(7 * 60_000 - (history[0]?.at ?? 0)).toBe(SAMPLE_SPAN_MS);
  });

  it('merges points closer than a second and keeps their peak', () => {
    const first = addSample([], at(50, 4), 10_000);
    const merged = addSample(first, at(51, 1), 10_400);
    expect(merged).toEqual([{ at: 10_000, memoryPercent: 51, waiting: 4, running: 0 }]);
  });

  it('starts over when the clock was set back', () => {
    const history = addSample(addSample([], at(50), 10_000), at(60), 5_000);
    expect(history.map((sample) => sample.at)).toEqual([5_000]);
  });
});
