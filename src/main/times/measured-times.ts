import type { CompletionChunk, CompletionEnd } from '../../shared/completion';
import type { ModelInfo } from '../../shared/domain';
import { Emitter } from '../ports/emitter';
import { Samples, slowestAfter } from './samples';

/** Measurements of one model on this machine, in seconds; null = not measured. */
export interface Measured {
  load: number | null;
  per1k: number | null;
  /** Per 1,000 tokens of a prompt. */
  prefillPer1k: number | null;
}

/** A model in one server; another server may have one of the same name with different times. */
export type ModelKey = Pick<ModelInfo, 'backend' | 'name'>;

/** A part of a prompt whose computation was timed. */
export interface PrefillTime {
  tokens: number;
  ms: number;
}

/** One model's measurements as stored on disk: seconds, seconds per 1,000 tokens, ms of a step. */
export interface SavedTimes {
  /** Distinguishes a model from another of the same name; null = not seen in a list yet. */
  fingerprint: string | null;
  load: readonly number[];
  per1k: readonly number[];
  prefillPer1k: readonly number[];
  slowestStepMs: number | null;
}

/** Shorter answers and prompts say nothing about speed. */
const MIN_TOKENS_MEASURED = 16;
const MIN_PREFILL_TOKENS = 64;
/** A warm model reports a few milliseconds: a look-up, not a load. */
const MIN_LOAD_MS = 100;
/** Most models remembered; beyond that the least recently used are dropped. */
const MOST_MODELS = 300;
/** Seconds; a figure of more than a day is a reporting error. */
const MOST_SECONDS = 86_400;

interface Entry {
  fingerprint: string | null;
  load: Samples;
  per1k: Samples;
  prefillPer1k: Samples;
  slowestStepMs: number | null;
}

/**
 * Measured load, prefill, token and step times by model. Estimates are order statistics of the newest measurements
 * (`Samples`), because one load from a cold disk, or one answer during a compile, would distort a mean for long.
 */
export class MeasuredTimes {
  /** In order of last use, most recent last. */
  readonly #byModel = new Map<string, Entry>();
  readonly #changed = new Emitter<void>();

  /** Emitted when something was learned or dropped. */
  readonly onChange = this.#changed.subscribe;

  /**
   * Learns from a finished request. `evalMs` is the time from the first token to the last; `prefill` is the timed part
   * of the prompt, used when the server's own `promptMs` is missing.
   */
  learn(model: ModelKey, end: CompletionEnd, evalMs: number, prefill: PrefillTime | null = null): void {
    const { loadMs = 0, promptMs, promptTokens, cachedTokens = 0, completionTokens } = end;
    const prompt = promptMs === undefined ? prefill : { tokens: promptTokens - cachedTokens, ms: promptMs };
    const load = loadMs >= MIN_LOAD_MS ? loadMs / 1000 : null;
    const per1k = completionTokens >= MIN_TOKENS_MEASURED && evalMs > 0 ? evalMs / completionTokens : null;
    const prefillPer1k =
      prompt && prompt.tokens >= MIN_PREFILL_TOKENS && prompt.ms > 0 ? prompt.ms / prompt.tokens : null;
    this.#add(model, { load, per1k, prefillPer1k });
  }

  /** Learns from a load reported by a server, in seconds. */
  learnLoad(model: ModelKey, seconds: number): void {
    this.#add(model, { load: seconds, per1k: null, prefillPer1k: null });
  }

  /** Learns from a finished step (prefill chunk or token), in ms. Never pass a step that was cut off. */
  learnStep(model: ModelKey, ms: number): void {
    if (!isPlausible(ms / 1000)) return;
    const entry = this.#entry(model);
    const before = entry.slowestStepMs;
    entry.slowestStepMs = slowestAfter(before, ms);
    // Steps come by the thousand, and only a new maximum is a change.
    if (entry.slowestStepMs !== before) this.#changed.emit();
  }

  /** The slowest step measured for this model, ms; null = none. The base of the hang limit. */
  slowestStepMs(model: ModelKey): number | null {
    return this.#byModel.get(keyOf(model))?.slowestStepMs ?? null;
  }

  /** Typical times: for ETAs and display. */
  of(model: ModelKey): Readonly<Measured> | null {
    return this.#read(model, (samples) => samples.typical());
  }

  /** Times that are rarely exceeded: for limits. */
  slowOf(model: ModelKey): Readonly<Measured> | null {
    return this.#read(model, (samples) => samples.slow());
  }

  /** Number of measurements behind the estimate: loads and answers. */
  samplesOf(model: ModelKey): number {
    const entry = this.#byModel.get(keyOf(model));
    return entry ? entry.load.count + entry.per1k.count : 0;
  }

  /**
   * Compares with the installed models: drops the times of a model that was replaced by another of the same name. Keeps
   * models that are not listed, because their server may just be down.
   */
  reconcile(models: readonly ModelInfo[]): void {
    let forgotten = false;
    for (const model of models) {
      const key = keyOf(model);
      const entry = this.#byModel.get(key);
      const fingerprint = fingerprintOf(model);
      if (!entry || fingerprint === null) continue;
      if (entry.fingerprint !== null && entry.fingerprint !== fingerprint) {
        this.#byModel.delete(key);
        forgotten = true;
      } else entry.fingerprint = fingerprint;
    }
    if (forgotten) this.#changed.emit();
  }

  /** All measurements, by `backend/name`. */
  save(): Record<string, SavedTimes> {
    return Object.fromEntries(
      [...this.#byModel].map(([key, { fingerprint, load, per1k, prefillPer1k, slowestStepMs }]) => [
        key,
        {
          fingerprint,
          load: load.values().map(rounded),
          per1k: per1k.values().map(rounded),
          prefillPer1k: prefillPer1k.values().map(rounded),
          slowestStepMs,
        },
      ]),
    );
  }

  /** Restores saved measurements; a model that has been measured meanwhile keeps its newer ones. */
  restore(saved: Readonly<Record<string, SavedTimes>>): void {
    for (const [key, times] of Object.entries(saved)) {
      if (this.#byModel.has(key)) continue;
      this.#put(key, {
        fingerprint: times.fingerprint,
        load: new Samples(times.load.filter(isPlausible)),
        per1k: new Samples(times.per1k.filter(isPlausible)),
        prefillPer1k: new Samples(times.prefillPer1k.filter(isPlausible)),
        slowestStepMs: isPlausible((times.slowestStepMs ?? 0) / 1000) ? times.slowestStepMs : null,
      });
    }
    this.#changed.emit();
  }

  #add(model: ModelKey, told: Measured): void {
    const seen = {
      load: plausible(told.load),
      per1k: plausible(told.per1k),
      prefillPer1k: plausible(told.prefillPer1k),
    };
    if (Object.values(seen).every((value) => value === null)) return;
    const entry = this.#entry(model);
    for (const quantity of ['load', 'per1k', 'prefillPer1k'] as const) {
      const value = seen[quantity];
      if (value !== null) entry[quantity].add(value);
    }
    this.#changed.emit();
  }

  #read(model: ModelKey, pick: (samples: Samples) => number | null): Measured | null {
    const entry = this.#byModel.get(keyOf(model));
    if (!entry) return null;
    // A cached prompt looks fast, so the slow value is the true cost of an uncached one.
    return { load: pick(entry.load), per1k: pick(entry.per1k), prefillPer1k: entry.prefillPer1k.slow() };
  }

  #entry(model: ModelKey): Entry {
    const key = keyOf(model);
    const entry = this.#byModel.get(key) ?? {
      fingerprint: null,
      load: new Samples(),
      per1k: new Samples(),
      prefillPer1k: new Samples(),
      slowestStepMs: null,
    };
    this.#put(key, entry);
    return entry;
  }

  #put(key: string, entry: Entry): void {
    this.#byModel.delete(key);
    this.#byModel.set(key, entry);
    const [oldest] = this.#byModel.keys();
    if (this.#byModel.size > MOST_MODELS && oldest !== undefined) this.#byModel.delete(oldest);
  }
}

/**
 * Times the prefill from the progress that a backend reports: from the first report, which comes after the load and the
 * first chunk, to the last one.
 */
export class PrefillWatch {
  #first: { tokens: number; at: number } | null = null;
  #last: { tokens: number; at: number } | null = null;

  /** `now` in ms of the monotonic clock. */
  onChunk(chunk: CompletionChunk, now: number): void {
    if (chunk.type !== 'prefill') return;
    this.#last = { tokens: chunk.done, at: now };
    this.#first ??= this.#last;
  }

  /** Null after fewer than two reports. */
  measured(): PrefillTime | null {
    if (!this.#first || !this.#last || this.#first === this.#last) return null;
    return { tokens: this.#last.tokens - this.#first.tokens, ms: this.#last.at - this.#first.at };
  }
}

function keyOf({ backend, name }: ModelKey): string {
  return `${backend}/${name.toLowerCase().replace(/:latest$/, '')}`;
}

/** Times depend on a model's size and quantisation; a re-downloaded copy of the same model keeps them. */
function fingerprintOf({ sizeBytes, quantisation }: ModelInfo): string | null {
  return sizeBytes === null ? null : `${sizeBytes}/${quantisation ?? ''}`;
}

function isPlausible(seconds: number): boolean {
  return Number.isFinite(seconds) && seconds >= 0 && seconds <= MOST_SECONDS;
}

function plausible(seconds: number | null): number | null {
  return seconds !== null && isPlausible(seconds) ? seconds : null;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
