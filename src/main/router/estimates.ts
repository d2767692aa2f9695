import type { Category, CompletionEnd, ModelInfo } from '../../shared/domain';
import type { Settings } from '../../shared/settings';

/** Seconds: to load, per 1,000 tokens, and to spare. */
export interface TimeEstimate {
  load: number;
  per1k: number;
  margin: number;
}

export interface EffectiveEstimate extends TimeEstimate {
  /** What holds: the user's value over the measured one over the table over the size in the name. */
  source: 'user' | 'measured' | 'table' | 'size' | 'default';
}

/** Product figures, section 4: first guesses until this machine has been measured. */
const HUGE: TimeEstimate = { load: 180, per1k: 180, margin: 120 };
const LARGE: TimeEstimate = { load: 120, per1k: 120, margin: 120 };
const HEAVY: TimeEstimate = { load: 60, per1k: 40, margin: 60 };
const LIGHT: TimeEstimate = { load: 25, per1k: 15, margin: 30 };
const SMALL: TimeEstimate = { load: 20, per1k: 12, margin: 25 };
const TINY: TimeEstimate = { load: 10, per1k: 5, margin: 20 };

const TABLE: Readonly<Record<string, TimeEstimate>> = {
  'command-r-plus:104b': HUGE,
  'deepseek-r1-distill-llama:70b': LARGE,
  'llama3.3:70b': LARGE,
  reasoning: LARGE,
  'qwen2.5-coder:32b': HEAVY,
  coding: HEAVY,
  default: HEAVY,
  'phi3.5:3.8b': LIGHT,
  'phi3:mini-4k': LIGHT,
  'phi3.5-mini-4k': LIGHT,
  fast: LIGHT,
  'qwen2.5:3b': SMALL,
  'tinyllama:1.1b-chat': TINY,
  tiny: TINY,
};

/** Sizes as they stand in names; the first that is found holds. */
const BY_SIZE: readonly (readonly [RegExp, TimeEstimate])[] = [
  [/(?:^|[^\d.])104b/i, HUGE],
  [/(?:^|[^\d.])7[02]b/i, LARGE],
  [/(?:^|[^\d.])3[2-4]b/i, HEAVY],
  [/(?:^|[^\d.])3\.8b|(?:^|[^\d.])4k(?:$|\W)/i, LIGHT],
  [/(?:^|[^\d.])3b/i, SMALL],
  [/(?:^|[^\d.])1(?:\.\d)?b/i, TINY],
];

const MIN_TIMEOUT_S = 60;
const MIN_REASONING_S = 600;
const MIN_QUEUE_WAIT_S = 300;
const QUEUE_WAIT_TOKENS = 2048;
/** Assumed length of an answer when the request sets none. */
const TYPICAL_TOKENS = 400;
const DEFAULT_MAX_TOKENS = 2048;
/** Weight of the newest measurement. */
const NEWEST = 0.3;
/** Shorter answers say nothing about speed. */
const MIN_TOKENS_MEASURED = 16;

/** What this machine has shown of one model, in seconds; null = not measured. */
export interface Measured {
  load: number | null;
  per1k: number | null;
}

/** A model in one server; the other may have one of the same name, with times of its own. */
type ModelKey = Pick<ModelInfo, 'backend' | 'name'>;

/** Measured load and token times of this run by model, as moving averages. */
export class MeasuredTimes {
  readonly #byModel = new Map<string, Measured>();

  /** Learns from a finished request. `evalMs` is the time from the first token to the last. */
  learn(model: ModelKey, end: CompletionEnd, evalMs: number): void {
    // A warm model reports a few milliseconds: that is a look-up, not a load.
    if (end.loadMs !== undefined && end.loadMs >= 100) this.learnLoad(model, end.loadMs / 1000);
    if (end.completionTokens >= MIN_TOKENS_MEASURED && evalMs > 0) {
      const known = this.#entry(model);
      known.per1k = blend(known.per1k, evalMs / end.completionTokens);
    }
  }

  /** Learns from a load that a server has told of, in seconds. */
  learnLoad(model: ModelKey, seconds: number): void {
    const known = this.#entry(model);
    known.load = blend(known.load, seconds);
  }

  of({ backend, name }: ModelKey): Readonly<Measured> | null {
    return this.#byModel.get(`${backend}/${name}`) ?? null;
  }

  #entry({ backend, name }: ModelKey): Measured {
    const key = `${backend}/${name}`;
    const entry = this.#byModel.get(key) ?? { load: null, per1k: null };
    this.#byModel.set(key, entry);
    return entry;
  }
}

/** The estimate for a model and where it comes from. */
export function estimateFor(
  model: string,
  user: Settings['modelTimeEstimates'] = {},
  known: Readonly<Measured> | null = null,
): EffectiveEstimate {
  const byUser = user[model] ?? user[plainName(model)];
  if (byUser) return { ...byUser, source: 'user' };
  const guess = guessFor(model);
  if (!known || (known.load === null && known.per1k === null)) return guess;
  const { load, per1k } = known;
  return { load: load ?? guess.load, per1k: per1k ?? guess.per1k, margin: guess.margin, source: 'measured' };
}

/** `max(60 s, load + max_tokens/1000 × per1k + margin)`, in ms. */
export function estimateMs(estimate: TimeEstimate, maxTokens: number): number {
  const seconds = estimate.load + (maxTokens / 1000) * estimate.per1k + estimate.margin;
  return Math.max(MIN_TIMEOUT_S, seconds) * 1000;
}

/**
 * Ms that a backend may take for a request, counted from when it takes it: the larger of the setting (at least 600 s
 * for reasoning) and the model's own estimate.
 */
export function requestTimeoutMs(
  settings: Pick<Settings, 'requestTimeoutS'>,
  category: Category,
  estimate: TimeEstimate,
  maxTokens: number | undefined,
): number {
  const least = category === 'reasoning' ? MIN_REASONING_S : 0;
  const configured = Math.max(settings.requestTimeoutS, least) * 1000;
  return Math.max(configured, estimateMs(estimate, maxTokens ?? DEFAULT_MAX_TOKENS));
}

/** Expected ms in a slot, for places in the queue: token time of a typical answer, the model being loaded. */
export function expectedRunMs(estimate: TimeEstimate, maxTokens: number | undefined): number {
  const tokens = Math.min(maxTokens ?? TYPICAL_TOKENS, TYPICAL_TOKENS);
  return Math.round(tokens * estimate.per1k);
}

/** Ms that a request may wait for a slot: the setting, else the largest estimate over known models, at least 300 s. */
export function queueWaitMs(
  settings: Pick<Settings, 'queueWaitTimeoutS' | 'modelTimeEstimates'>,
  models: readonly ModelKey[],
  measured: MeasuredTimes | null = null,
): number {
  if (settings.queueWaitTimeoutS !== null) return settings.queueWaitTimeoutS * 1000;
  let longest = MIN_QUEUE_WAIT_S * 1000;
  for (const model of models) {
    const estimate = estimateFor(model.name, settings.modelTimeEstimates, measured?.of(model));
    longest = Math.max(longest, estimateMs(estimate, QUEUE_WAIT_TOKENS));
  }
  return longest;
}

function guessFor(model: string): EffectiveEstimate {
  const name = plainName(model);
  const listed = TABLE[name];
  if (listed) return { ...listed, source: 'table' };
  const sized = BY_SIZE.find(([pattern]) => pattern.test(name))?.[1];
  return sized ? { ...sized, source: 'size' } : { ...HEAVY, source: 'default' };
}

/** Lower case, without the organisation and the tag that every model has. */
function plainName(model: string): string {
  return (model.split('/').at(-1) ?? model).toLowerCase().replace(/:latest$/, '');
}

function blend(known: number | null, newest: number): number {
  return known === null ? newest : known + (newest - known) * NEWEST;
}
