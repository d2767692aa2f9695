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
  STEP_TOKENS,
  shortenSteps,
  stepDown,
  stepTokens,
  untilClimb,
} from './oom-ladder';

export interface LadderKeeperOptions {
  /** Where the rungs are stored; null = in memory only. */
  file: { store: FileStore; path: string } | null;
  clock: Clock;
  logger: Logger;
  /** The next smaller model that could replace this one; null = none. */
  smallerModel(model: string): string | null;
  /** A model's rung, or the length of its prefill steps, has changed. */
  onRung(facts: RungFacts): void;
}

/** `prefill_steps` = its prefill steps became shorter, with this number of tokens; else its new rung. */
export type RungFacts = {
  model: string;
  rung: number;
  kind: Ladder['kind'] | 'prefill_steps';
  tokens?: number;
};

/** Time is counted in pieces of at most this length, so that the sleep of a machine does not count as stable time. */
const COUNT_EVERY_MS = 30 * 60 * 1000;

const savedSchema = z.object({
  version: z.literal(1),
  models: z.record(
    z.string(),
    z.object({
      rung: z
        .number()
        .int()
        .min(0)
        .max(RUNGS.length - 1),
      // Absent in files of earlier versions.
      steps: z
        .number()
        .int()
        .min(0)
        .max(STEP_TOKENS.length - 1)
        .default(0),
      stableMs: z.number().min(0),
      peakBytes: z.number().positive().nullable(),
    }),
  ),
});

/** Keeps each model's rung, across restarts of the server and of the app, and derives the process limits. */
export class LadderKeeper {
  readonly #options: LadderKeeperOptions;
  #memory: LadderMemory = {};
  #loaded: Promise<void> | null = null;
  #wanted: string | null = null;
  #atBottom = false;
  #countedAt: number | null = null;
  /** Wall time of the last count or change; the expected time of the next climb is computed from it. */
  #seenAt = 0;
  #stopCounting: () => void = () => {};
  #saving: Promise<void> = Promise.resolve();

  constructor(options: LadderKeeperOptions) {
    this.#options = options;
  }

  /** Reads the stored rungs once; an unreadable file counts as empty. Never rejects. */
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
   * Call before a start, with the wanted model or null. Returns the model to load if memory allows; null = the smaller
   * replacement is missing too.
   */
  begin(wanted: string | null): string | null {
    this.#wanted = wanted;
    return this.next();
  }

  /** The model that the next start would load if memory allows, assuming the same wanted model. */
  next(): string | null {
    return this.#wanted === null ? null : this.#standIn(this.#wanted);
  }

  /** Limits of the process for the model that was wanted at its start. */
  limits(): ProcessLimits {
    return processLimits(this.#memory, this.#wanted);
  }

  /** The server answers: its stable time counts from now on. */
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
   * @returns false when it ran out of memory on the last rung, so it must not be restarted
   */
  exited(cause: ExitCause, model: string | null, peakBytes: number | null): boolean {
    this.down();
    return this.explained(cause, model, peakBytes);
  }

  /** Like `exited`, for a cause that became known only after the exit, when the next process may already run. */
  explained(cause: ExitCause, model: string | null, peakBytes: number | null): boolean {
    if (model === null) return true;
    if (cause === 'gpu_hang') {
      const key = this.#keyOf(model);
      this.#change(shortenSteps(this.#memory, key), key);
    }
    if (cause !== 'out_of_memory' && cause !== 'killed_by_os') return true;
    const key = this.#keyOf(model);
    const wanted = this.#wanted;
    const smaller = this.#options.smallerModel(key) !== null;
    const { memory, bottom } = stepDown(this.#memory, key, smaller, peakBytes);
    this.#change(memory, key);
    this.#atBottom = bottom && key === wanted;
    return !this.#atBottom;
  }

  /** It ran out of memory on the last rung and stays down. */
  get atBottom(): boolean {
    return this.#atBottom;
  }

  /** A person wants another try, on the current rung. */
  tryAgain(): void {
    this.#atBottom = false;
  }

  /** Would this request exceed the rung's limits? `tokens` of prompt and answer together. */
  refuses(model: string, tokens: number): boolean {
    const { kind, contextTokens } = rungOf(this.#memory, model);
    return kind === 'model' || (contextTokens !== null && tokens > contextTokens);
  }

  /** The rung of the wanted model; null when no model is wanted. */
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
      prefillStepTokens: own(this.#memory, model)?.steps ? stepTokens(this.#memory, model) : null,
      model: kind === 'model' ? this.#standIn(model) : null,
      climbsAt: left === null || this.#atBottom ? null : this.#seenAt + left,
    };
  }

  /** Resolves when everything is on disk. */
  settled(): Promise<void> {
    return this.#saving;
  }

  /** The model that a death counts for: the wanted one, also when its smaller replacement died. */
  #keyOf(model: string): string {
    const wanted = this.#wanted;
    return wanted !== null && model === this.#standIn(wanted) ? wanted : model;
  }

  #standIn(wanted: string): string | null {
    return rungOf(this.#memory, wanted).kind === 'model' ? this.#options.smallerModel(wanted) : wanted;
  }

  #onRung(): boolean {
    return Object.keys(this.#memory).length > 0;
  }

  /** Counts stable time for all stored models, because they shared the process. */
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
    const shorter = (own(memory, model)?.steps ?? 0) > (own(this.#memory, model)?.steps ?? 0);
    this.#memory = memory;
    this.#seenAt = this.#options.clock.wall().getTime();
    if (rung !== before) this.#options.onRung({ model, rung, kind: rungOf(memory, model).kind });
    if (shorter) {
      this.#options.onRung({ model, rung, kind: 'prefill_steps', tokens: stepTokens(memory, model) });
    }
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
