import type { Snapshot } from '../../shared/contract';

/** One point of the live charts. */
export interface Sample {
  /** Wall time, ms since the epoch. */
  at: number;
  memoryPercent: number | null;
  waiting: number;
  running: number;
}

/** How far back the charts reach, ms. */
export const SAMPLE_SPAN_MS = 5 * 60_000;
/** Points closer together than this, ms, are merged: the charts are 300 px wide. */
const SAMPLE_STEP_MS = 1_000;

/** Adds the current values to the history, merges points that are too close and drops points that are too old. */
export function addSample(history: readonly Sample[], snapshot: Snapshot, now: number): readonly Sample[] {
  const sample: Sample = {
    at: now,
    memoryPercent: snapshot.memory?.usedPercent ?? null,
    waiting: snapshot.queue.stats.depth,
    running: snapshot.queue.stats.running,
  };
  const last = history.at(-1);
  // The clock was set back: the earlier points would lie in the future.
  if (last && now < last.at) return [sample];
  if (last && now - last.at < SAMPLE_STEP_MS) {
    // The chart must not hide the peak within a step.
    const merged = {
      ...sample,
      at: last.at,
      waiting: Math.max(last.waiting, sample.waiting),
      running: Math.max(last.running, sample.running),
    };
    return [...history.slice(0, -1), merged];
  }
  return [...history.filter((point) => now - point.at <= SAMPLE_SPAN_MS), sample];
}
