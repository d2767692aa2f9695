import { z } from 'zod';
import type { ExitCause, Ladder } from '../../../shared/incidents';
import { own } from '../../../shared/own';
import type { Clock } from '../../ports/clock';
import type { FileStore } from '../../ports/file-store';
import type { Logger } from '../../ports/logger';
import {
  type LadderMemory,
  type ProcessLimits,
  processLimits,
  RUNGS,
  rest,
  rungOf,
  stepDown,
  untilClimb,
} from './oom-ladder';

export interface LadderKeeperOptions {
  /** Where it is remembered; null = for the life of the backend only. */
  file: { store: FileStore; path: string } | null;
  clock: Clock;
  logger: Logger;
  /** The next smaller model that could stand in for one; null = there is none. */
  smallerModel(model: string): string | null;
  /** A model has changed its rung. */
  onRung(facts: { model: string; rung: number; kind: Ladder['kind'] }): void;
}

/** Time is counted in pieces of at most this length, so that a machine that slept has not been stable meanwhile. */
const COUNT_EVERY_MS = 30 * 60 * 1000;

const savedSchema = z.object({
  version: z.literal(1),
  models: z.record(
    z.string(),
    z.object({
      rung: z
        .number()
        .int()
        .min(1)
        .max(RUNGS.length - 1),
      stableMs: z.number().min(0),
      peakBytes: z.number().positive().nullable(),
    }),
  ),
});

/** Which rung each model is on, over restarts of the server and of the app, and what follows from it. */
export class LadderKeeper {
  readonly #options: LadderKeeperOptions;
  #memory: LadderMemory = {};
  #loaded: Promise<void> | null = null;
  #wanted: string | null = null;
  #atBottom = false;
  #countedAt: number | null = null;
  /** Wall time of the last count or change, which is what the climb is foretold from. */
  #seenAt = 0;
  #stopCounting: () => void = () => {};
  #saving: Promise<void> = Promise.resolve();

  constructor(options: LadderKeeperOptions) {
    this.#options = options;
  }

  /** Reads once what was survivable in earlier runs; what cannot be read is forgotten. Never rejects. */
  load(): Promise<void> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  async #read(): Promise<void> {
    const { file, logger } = this.#options;
    if (!file) return;
    try {
      const text = await file.store.readText(file.path);
      if (text !== null) this.#memory = { ...savedSchema.parse(JSON.parse(text)).models, ...this.#memory };
    } catch (error) {
      logger.warn('mlx.ladder-unreadable', { error });
    }
  }

  /**
   * A start is coming, with this model as the wanted one, or none. What it may load is returned, if memory has room for
   * it; null = the smaller one that stands in has gone as well.
   */
  begin(wanted: string | null): string | null {
    this.#wanted = wanted;
    return this.next();
  }

  /** The model that the next start would load if memory has room, as far as the last one tells. */
  next(): string | null {
    return this.#wanted === null ? null : this.#standIn(this.#wanted);
  }

  /** What the process may take; `first` is the model that was wanted at its start. */
  limits(): ProcessLimits {
    return processLimits(this.#memory, this.#wanted);
  }

  /** The server answers: from now on its stable time counts. */
  up(): void {
    this.#atBottom = false;
    if (this.#countedAt !== null || !this.#onRung()) return;
    const { clock } = this.#options;
    this.#countedAt = clock.now();
    this.#seenAt = clock.wall().getTime();
    this.#stopCounting = clock.every(COUNT_EVERY_MS, () => this.#count());
  }

  down(): void {
    if (this.#countedAt !== null) this.#count();
    this.#stopCounting();
    this.#countedAt = null;
  }

  /**
   * The process has ended.
   * @param model the one that was loaded, or loading; null = none
   * @returns false when it ran out of memory on the last rung, so that it must not be started again
   */
  exited(cause: ExitCause, model: string | null, peakBytes: number | null): boolean {
    this.down();
    if (model === null || (cause !== 'out_of_memory' && cause !== 'killed_by_os')) return true;
    const wanted = this.#wanted;
    const stoodIn = wanted !== null && model === this.#standIn(wanted);
    const key = stoodIn ? wanted : model;
    const smaller = this.#options.smallerModel(key) !== null;
    const { memory, bottom } = stepDown(this.#memory, key, smaller, peakBytes);
    this.#change(memory, key);
    this.#atBottom = bottom && key === wanted;
    return !this.#atBottom;
  }

  /** Out of memory on the last rung: it stays down. */
  get atBottom(): boolean {
    return this.#atBottom;
  }

  /** A person wants it tried again: on the rung that it is on. */
  tryAgain(): void {
    this.#atBottom = false;
  }

  /** Would this take more than is survivable? `tokens` of prompt and answer together. */
  refuses(model: string, tokens: number): boolean {
    const { kind, contextTokens } = rungOf(this.#memory, model);
    return kind === 'model' || (contextTokens !== null && tokens > contextTokens);
  }

  /** The rung of the wanted model; null while nothing is to be loaded. */
  view(): Ladder | null {
    const model = this.#wanted;
    if (model === null) return null;
    const { kind, promptCacheBytes, contextTokens } = rungOf(this.#memory, model);
    const left = untilClimb(this.#memory, model);
    return {
      rung: own(this.#memory, model)?.rung ?? 0,
      rungs: RUNGS.length,
      kind,
      promptCacheBytes,
      contextTokens,
      model: kind === 'model' ? this.#standIn(model) : null,
      climbsAt: left === null || this.#atBottom ? null : this.#seenAt + left,
    };
  }

  /** Resolves when all is on disk. */
  settled(): Promise<void> {
    return this.#saving;
  }

  #standIn(wanted: string): string | null {
    return rungOf(this.#memory, wanted).kind === 'model' ? this.#options.smallerModel(wanted) : wanted;
  }

  #onRung(): boolean {
    return Object.keys(this.#memory).length > 0;
  }

  /** All that are remembered have survived for this long: they shared the process. */
  #count(): void {
    const now = this.#options.clock.now();
    const ms = Math.min(now - (this.#countedAt ?? now), COUNT_EVERY_MS);
    this.#countedAt = now;
    for (const model of Object.keys(this.#memory)) this.#change(rest(this.#memory, model, ms), model);
    if (!this.#onRung()) this.#stopCounting();
  }

  #change(memory: LadderMemory, model: string): void {
    const before = own(this.#memory, model)?.rung ?? 0;
    const rung = own(memory, model)?.rung ?? 0;
    this.#memory = memory;
    this.#seenAt = this.#options.clock.wall().getTime();
    if (rung !== before) this.#options.onRung({ model, rung, kind: rungOf(memory, model).kind });
    this.#save();
  }

  #save(): void {
    const { file, logger } = this.#options;
    if (!file) return;
    const text = `${JSON.stringify({ version: 1, models: this.#memory }, null, 2)}\n`;
    this.#saving = this.#saving
      .then(() => file.store.replace(file.path, text))
      .catch((error) => logger.warn('mlx.ladder-unsaved', { error }));
  }
}
