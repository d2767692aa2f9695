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
  /** Called at each sample, so that a changed setting takes effect at once. */
  thresholds: () => MemoryThresholds;
  /** Bytes of each backend's processes; null = unknown. */
  backendBytes: () => MemoryStatus['backendBytes'];
}

const EVERY_MS = 5000;

/**
 * Samples memory every 5 s, one sample at a time. A failed sample sets the pressure to unknown and keeps the last
 * figures with their time; it never invents a figure.
 */
export class MemoryMonitor {
  readonly onChange: (listener: (status: MemoryStatus | null) => void) => Unsubscribe;
  /** Emits each sample, including failed ones. */
  readonly onSample: (listener: (status: MemoryStatus | null) => void) => Unsubscribe;
  readonly #changed = new Emitter<MemoryStatus | null>();
  readonly #sampled = new Emitter<MemoryStatus | null>();
  readonly #options: MemoryMonitorOptions;
  #status: MemoryStatus | null = null;
  #told: MemoryStatus | null = null;
  #running = false;
  /** The last sample failed. */
  #blind = false;
  #sampling: Promise<void> | null = null;
  #cancelNext: (() => void) | null = null;

  constructor(options: MemoryMonitorOptions) {
    this.#options = options;
    this.onChange = this.#changed.subscribe;
    this.onSample = this.#sampled.subscribe;
  }

  /** The last status; null before the first sample. */
  status(): MemoryStatus | null {
    return this.#status;
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

  /** Takes a new sample, or joins the one in progress. Never rejects. */
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
    this.#cancelNext = this.#options.clock.after(EVERY_MS, () => void this.sampleNow());
  }

  async #sample(): Promise<void> {
    const { sampler, logger } = this.#options;
    try {
      this.#status = this.#toStatus(await sampler.sample());
      this.#blind = false;
    } catch (error) {
      if (!this.#blind) logger.warn('memory_sample_failed', { error });
      this.#blind = true;
      this.#status = this.#status && { ...this.#status, pressure: 'unknown' };
    }
    this.#sampled.emit(this.#status);
    if (!isNoticeable(this.#told, this.#status)) return;
    this.#told = this.#status;
    this.#changed.emit(this.#status);
  }

  #toStatus(sample: MemorySample): MemoryStatus {
    const { thresholds, backendBytes, clock } = this.#options;
    const limits = thresholds();
    return {
      totalBytes: sample.totalBytes,
      usedBytes: sample.usedBytes,
      usedPercent: usedPercent(sample),
      pressure: pressureOf(sample, limits),
      warningPercent: limits.warningPercent,
      criticalPercent: limits.criticalPercent,
      backendBytes: backendBytes(),
      source: sample.source,
      at: clock.wall().getTime(),
    };
  }
}
