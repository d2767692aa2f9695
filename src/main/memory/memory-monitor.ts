import type { BackendId } from '../../shared/domain';
import type { MemoryStatus } from '../../shared/status';
import type { Clock } from '../ports/clock';
import { Emitter, type Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import { isNoticeable, type MemoryThresholds, pressureOf, usedPercent } from './pressure';
import type { MemorySample, MemorySampler } from './types';

export interface MemoryMonitorOptions {
  sampler: MemorySampler;
  clock: Clock;
  logger: Logger;
  /** Asked at each sample, so that a changed setting acts at once. */
  thresholds: () => MemoryThresholds;
  /** Bytes of each backend's processes; null = unknown. */
  backendBytes: () => Record<BackendId, number | null>;
}

/** A point of the chart; `usedPercent` null = unknown at that time, drawn as a gap. */
export interface MemoryPoint {
  /** Wall ms. */
  at: number;
  usedPercent: number | null;
  pressure: MemoryStatus['pressure'];
}

const WATCHED_MS = 2000;
const UNWATCHED_MS = 5000;
const POINT_MS = 5000;
const POINTS = 120;

/**
 * Samples memory every 2 s while somebody watches, else every 5 s, one sample at a time. A sample that fails makes
 * the pressure unknown and keeps the last figures with their time; no figure is ever made up.
 */
export class MemoryMonitor {
  readonly onChange: (listener: (status: MemoryStatus | null) => void) => Unsubscribe;
  readonly #changed = new Emitter<MemoryStatus | null>();
  readonly #options: MemoryMonitorOptions;
  readonly #points: MemoryPoint[] = [];
  #status: MemoryStatus | null = null;
  #told: MemoryStatus | null = null;
  #watchers = 0;
  #running = false;
  #sampling: Promise<void> | null = null;
  #cancelNext: (() => void) | null = null;

  constructor(options: MemoryMonitorOptions) {
    this.#options = options;
    this.onChange = this.#changed.subscribe;
  }

  /** The last picture; null before the first sample. */
  status(): MemoryStatus | null {
    return this.#status;
  }

  /** The last 10 minutes, one point per 5 s, oldest first. */
  history(): readonly MemoryPoint[] {
    return this.#points;
  }

  /** Samples faster until the returned function is called; for a UI on the screen. */
  watch(): Unsubscribe {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#schedule();
    let active = true;
    return () => {
      if (active) this.#watchers -= 1;
      active = false;
    };
  }

  /** Takes the first sample at once. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.sampleNow();
  }

  stop(): void {
    this.#running = false;
    this.#cancelNext?.();
    this.#cancelNext = null;
  }

  /** A fresh picture, for a decision that needs one; joins a sample that is under way. Never rejects. */
  async sampleNow(): Promise<MemoryStatus | null> {
    this.#sampling ??= this.#sample().finally(() => {
      this.#sampling = null;
      this.#schedule();
    });
    await this.#sampling;
    return this.#status;
  }

  #schedule(): void {
    this.#cancelNext?.();
    this.#cancelNext = null;
    if (!this.#running || this.#sampling) return;
    const wait = this.#watchers > 0 ? WATCHED_MS : UNWATCHED_MS;
    this.#cancelNext = this.#options.clock.after(wait, () => void this.sampleNow());
  }

  async #sample(): Promise<void> {
    const { sampler, logger, clock } = this.#options;
    try {
      this.#status = this.#toStatus(await sampler.sample());
    } catch (error) {
      if (this.#points.at(-1)?.pressure !== 'unknown') logger.warn('memory_sample_failed', { error });
      this.#status = this.#status && { ...this.#status, pressure: 'unknown' };
    }
    this.#record(clock.wall().getTime());
    if (!isNoticeable(this.#told, this.#status)) return;
    this.#told = this.#status;
    this.#changed.emit(this.#status);
  }

  #toStatus(sample: MemorySample): MemoryStatus {
    const { thresholds, backendBytes, clock } = this.#options;
    const limits = thresholds();
    const bytes = backendBytes();
    return {
      totalBytes: sample.totalBytes,
      usedBytes: sample.usedBytes,
      usedPercent: usedPercent(sample),
      pressure: pressureOf(sample, limits),
      warningPercent: limits.warningPercent,
      criticalPercent: limits.criticalPercent,
      mlxBytes: bytes.mlx,
      ollamaBytes: bytes.ollama,
      source: sample.source,
      at: clock.wall().getTime(),
    };
  }

  /** Samples within the same 5 s share a point; the latest wins. */
  #record(at: number): void {
    const known = this.#status !== null && this.#status.pressure !== 'unknown';
    const point: MemoryPoint = {
      at,
      usedPercent: known ? (this.#status?.usedPercent ?? null) : null,
      pressure: this.#status?.pressure ?? 'unknown',
    };
    const last = this.#points.at(-1);
    const sameSlot = last !== undefined && Math.floor(last.at / POINT_MS) === Math.floor(at / POINT_MS);
    if (sameSlot) this.#points[this.#points.length - 1] = point;
    else this.#points.push(point);
    if (this.#points.length > POINTS) this.#points.shift();
  }
}
