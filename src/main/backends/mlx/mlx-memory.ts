import { TandemError } from '../../../shared/errors';
import type { BackendStatus } from '../../../shared/status';
import type { Figure, LoadedModel, MemoryFigures, MemoryHolder } from '../../memory/types';
import type { Clock } from '../../ports/clock';
import type { LauncherEvent, ListeningEvent, MemEvent } from './launcher-events';

const SOURCE = 'launcher';

/** Memory of mlx_lm.server as its launcher reports it: bytes, each with the time of the reading. */
export class MlxMemory implements Omit<MemoryHolder, 'behaviour'> {
  readonly #clock: Clock;
  readonly #status: () => BackendStatus;
  #device: ListeningEvent | null = null;
  #last: { figures: MemEvent; at: number } | null = null;
  /** What MLX held right after a load: the weights, before any request had a cache. */
  #weightsBytes: number | null = null;
  /** The model being loaded. */
  #loading: { name: string; at: number } | null = null;
  #lastUsedAt: number | null = null;

  constructor(clock: Clock, status: () => BackendStatus) {
    this.#clock = clock;
    this.#status = status;
  }

  /** The process has exited, or a new one has started. */
  reset(): void {
    this.#device = null;
    this.#last = null;
    this.#weightsBytes = null;
    this.#loading = null;
    this.#lastUsedAt = null;
  }

  /** @param nameOf name of the model in a folder */
  onLauncher(event: LauncherEvent, nameOf: (folder: string) => string): void {
    switch (event.event) {
      case 'listening':
        this.#device = event;
        return;
      case 'loading':
        this.#loading = { name: nameOf(event.model), at: this.#wall() };
        this.#weightsBytes = null;
        this.#lastUsedAt = null;
        return;
      case 'loaded':
        this.#loading = null;
        this.#weightsBytes = event.active;
        if (this.#last) {
          this.#last = { figures: { ...this.#last.figures, active: event.active }, at: this.#wall() };
        }
        return;
      case 'load_failed':
        this.#loading = null;
        return;
      case 'mem':
        this.#last = { figures: event, at: this.#wall() };
        return;
      case 'limits':
      case 'wiring':
      case 'sequence':
      case 'exit':
        return;
    }
  }

  /** A request of ours has ended. */
  used(): void {
    this.#lastUsedAt = this.#clock.now();
  }

  /** The model that is loaded or being loaded; null = none. */
  model(): string | null {
    return this.#loading?.name ?? this.#status().model;
  }

  /** The most that MLX has held since its start; null = not reported. */
  peakBytes(): number | null {
    return this.#last?.figures.peak || null;
  }

  figures(): MemoryFigures {
    const { figures, at } = this.#last ?? { figures: null, at: this.#wall() };
    const told = (bytes: number | null | undefined): Figure | null =>
      bytes === null || bytes === undefined ? null : { bytes, source: SOURCE, at };
    const weights =
      figures && this.#weightsBytes !== null ? Math.min(this.#weightsBytes, figures.active) : null;
    return {
      // The launcher writes 0 when the OS reports nothing.
      process: { bytes: figures?.footprint || figures?.rss || null, source: SOURCE, at },
      inside: {
        weights: told(weights),
        // Cached prompts, prompts in progress, and the temporary memory of their steps.
        kvCache: told(figures && weights !== null ? figures.active - weights : figures?.cached_bytes),
        buffers: told(figures?.cache),
      },
      peak: told(figures?.peak),
      device: { workingSet: told(this.#device?.working_set), buffer: told(this.#device?.buffer) },
    };
  }

  loaded(): readonly LoadedModel[] {
    const name = this.model();
    if (name === null || this.#status().pid === null) return [];
    const { activeRequests, draining } = this.#status();
    const at = this.#loading?.at ?? this.#last?.at ?? this.#wall();
    const bytes = this.#loading || !this.#last ? null : this.#last.figures.active + this.#last.figures.cache;
    return [
      {
        name,
        size: { bytes, source: SOURCE, at },
        ready: this.#loading === null,
        ours: true,
        active: activeRequests + draining,
        lastUsedAt: this.#lastUsedAt,
      },
    ];
  }

  /** A model is freed only when another replaces it, or with the process. */
  unload(): Promise<void> {
    return Promise.reject(new TandemError('unsupported', 'MLX cannot unload a single model.'));
  }

  #wall(): number {
    return this.#clock.wall().getTime();
  }
}
