import type { Pull } from '../../shared/contract';
import { TandemError, toTandemError } from '../../shared/errors';
import type { PullProgress } from '../backends/dialects/ollama/ollama-api';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';

/** The part of a backend that downloads models by name. */
export interface ModelSource {
  pull(
    name: string,
    options: { insecure: boolean },
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** The window over which the speed is measured, ms. */
const SPEED_WINDOW_MS = 5_000;
/** Byte samples are at least this far apart, ms, so that a server that reports every byte does not fill memory. */
const SAMPLE_MS = 100;
/** Progress is reported at most this often, ms. */
const REPORT_MS = 250;
/** A valid name in the public library and registries: host, port, namespace, name, tag. No path, no shell. */
const PULL_NAME =
  /^[a-z0-9][a-z0-9._-]*(?::\d{1,5})?(?:\/[a-z0-9][a-z0-9._-]*){0,3}(?::[a-z0-9][a-z0-9._-]*)?$/i;

interface Running {
  pull: Pull;
  controller: AbortController;
  samples: { at: number; bytes: number }[];
  reportedAt: number;
}

/** Downloads models, one download per name, with progress, speed and cancel. An interrupted download can be resumed. */
export class PullService {
  readonly #source: ModelSource;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #running = new Map<string, Running>();
  readonly #settled = new Map<string, Pull>();
  readonly #changed = new Emitter<readonly Pull[]>();
  readonly #completed = new Emitter<string>();

  readonly onChange = this.#changed.subscribe;
  /** Emits the name of a model whose download is complete. */
  readonly onCompleted = this.#completed.subscribe;

  constructor(options: { source: ModelSource; clock: Clock; logger: Logger }) {
    this.#source = options.source;
    this.#clock = options.clock;
    this.#logger = options.logger.child('pulls');
  }

  list(): Pull[] {
    return [...this.#settled.values(), ...[...this.#running.values()].map((entry) => entry.pull)];
  }

  /** Starts a pull and returns at once; the outcome is in `list()`. Does nothing if one of this name is running. */
  start(name: string, insecure = false): void {
    if (name.length > 300 || name.includes('..') || !PULL_NAME.test(name)) {
      throw new TandemError(
        'bad_model_name',
        `"${name.slice(0, 80)}" is no model name. Use a name such as qwen2.5:3b.`,
      );
    }
    if (this.#running.has(name)) return;
    this.#settled.delete(name);
    const entry: Running = {
      pull: {
        name,
        state: 'running',
        step: 'starting',
        completedBytes: 0,
        totalBytes: null,
        bytesPerSecond: null,
        error: null,
      },
      controller: new AbortController(),
      samples: [],
      reportedAt: Number.NEGATIVE_INFINITY,
    };
    this.#running.set(name, entry);
    this.#changed.emit(this.list());
    void this.#run(entry, insecure);
  }

  /** Cancels a pull, or removes a failed one; the server keeps the downloaded part and resumes from it. */
  cancel(name: string): void {
    this.#running.get(name)?.controller.abort(new TandemError('cancelled', 'The download was cancelled.'));
    if (this.#settled.get(name)?.state !== 'failed') return;
    this.#settled.delete(name);
    this.#changed.emit(this.list());
  }

  stop(): void {
    for (const name of [...this.#running.keys()]) this.cancel(name);
  }

  async #run(entry: Running, insecure: boolean): Promise<void> {
    const { name } = entry.pull;
    try {
      await this.#source.pull(
        name,
        { insecure },
        (progress) => this.#progress(entry, progress),
        entry.controller.signal,
      );
      this.#finish(entry, { state: 'done', error: null });
      this.#completed.emit(name);
    } catch (error) {
      if (entry.controller.signal.aborted) return this.#finish(entry, { state: 'cancelled', error: null });
      const failure = toTandemError(error, 'pull_failed');
      this.#logger.warn('pull-failed', { name, code: failure.code });
      const { code, message, details } = failure;
      this.#finish(entry, { state: 'failed', error: { code, message, details } });
    }
  }

  #progress(entry: Running, progress: PullProgress): void {
    const now = this.#clock.now();
    if (now - (entry.samples.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= SAMPLE_MS)
      entry.samples.push({ at: now, bytes: progress.completedBytes });
    while (entry.samples.length > 2 && now - (entry.samples[0]?.at ?? now) > SPEED_WINDOW_MS)
      entry.samples.shift();
    const first = entry.samples[0];
    const elapsed = first ? now - first.at : 0;
    const speed = first && elapsed > 500 ? ((progress.completedBytes - first.bytes) / elapsed) * 1000 : null;
    entry.pull = { ...entry.pull, ...progress, bytesPerSecond: speed !== null && speed >= 0 ? speed : null };
    if (now - entry.reportedAt < REPORT_MS) return;
    entry.reportedAt = now;
    this.#changed.emit(this.list());
  }

  #finish(entry: Running, end: Pick<Pull, 'state' | 'error'>): void {
    this.#running.delete(entry.pull.name);
    this.#settled.set(entry.pull.name, { ...entry.pull, ...end, bytesPerSecond: null });
    this.#changed.emit(this.list());
  }
}
