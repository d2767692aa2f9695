import type { MemEvent } from '../../src/main/backends/mlx/launcher-events';

/** A memory line as the launcher of an idle server writes it, with changes. */
export function memLine(change: Partial<MemEvent> = {}): MemEvent {
  return {
    event: 'mem',
    active: 0,
    cache: 0,
    peak: 0,
    rss: 0,
    footprint: 0,
    steps: 0,
    stuck: 0,
    doing: 'waiting',
    step_ms: 0,
    step_tokens: 0,
    loading: 0,
    sequences: 0,
    queue: 0,
    cached_bytes: 0,
    ...change,
  };
}
