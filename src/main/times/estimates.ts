import type { Category, ModelInfo } from '../../shared/domain';
import { own } from '../../shared/own';
import type { Settings } from '../../shared/settings';
import type { ModelTimes } from '../../shared/status';
import type { Measured, MeasuredTimes, ModelKey } from './measured-times';
import { guessFor, plainName, type TimeEstimate } from './time-table';

export interface EffectiveEstimate extends TimeEstimate {
  /** Seconds per 1,000 tokens of a prompt. */
  prefillPer1k: number;
  /** The source: the user's value, else the measured one, else the table, else the size in the name. */
  source: ModelTimes['source'];
}

/** What is known about a request before it runs. */
export interface ExpectedWork {
  promptTokens: number;
  maxTokens: number | undefined;
  /** The model is already in memory. */
  loaded: boolean;
}

const MIN_TIMEOUT_S = 60;
const MIN_REASONING_S = 600;
const MIN_QUEUE_WAIT_S = 300;
const QUEUE_WAIT_TOKENS = 2048;
/** Assumed length of an answer when the request sets none. */
const TYPICAL_TOKENS = 400;
const DEFAULT_MAX_TOKENS = 2048;
/** Prompt tokens are computed in parallel: until measured, each is assumed to cost a tenth of an answer token. */
const PREFILL_SHARE = 0.1;
/**
 * A load may take this many times as long as the slow loads measured so far: a load from an uncached disk is that slow.
 */
const LOAD_ALLOWANCE = 3;

/** The estimate for a model and its source. `known` is the typical measurement for ETAs, or the slow one for limits. */
export function estimateFor(
  model: string,
  user: Settings['modelTimeEstimates'] = {},
  known: Readonly<Measured> | null = null,
): EffectiveEstimate {
  const byUser = own(user, model) ?? own(user, plainName(model));
  const guess = guessFor(model);
  const measured = known !== null && (known.load !== null || known.per1k !== null);
  const times: Omit<EffectiveEstimate, 'prefillPer1k'> = byUser
    ? { ...byUser, source: 'user' }
    : measured
      ? {
          load: known.load ?? guess.load,
          per1k: known.per1k ?? guess.per1k,
          margin: guess.margin,
          source: 'measured',
        }
      : guess;
  return { ...times, prefillPer1k: known?.prefillPer1k ?? times.per1k * PREFILL_SHARE };
}

/** `max(60 s, load + max_tokens/1000 × per1k + margin)`, in ms. */
export function estimateMs(estimate: TimeEstimate, maxTokens: number): number {
  const seconds = estimate.load + (maxTokens / 1000) * estimate.per1k + estimate.margin;
  return Math.max(MIN_TIMEOUT_S, seconds) * 1000;
}

/**
 * Time limit in ms for a backend, counted from when it receives the request: the larger of the setting (at least 600 s
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

/**
 * Ms after which a load counts as stuck, at least 60 s: the user's or the table's time plus the model's margin, or
 * three times the slow measured time plus that margin, because all measured loads may have come from the disk cache.
 */
export function loadTimeoutMs(
  model: ModelKey,
  user: Settings['modelTimeEstimates'],
  measured: MeasuredTimes,
): number {
  const known = measured.slowOf(model);
  const { load, margin, source } = estimateFor(model.name, user, known);
  const learned = source === 'measured' && known?.load !== null;
  const seconds = load * (learned ? LOAD_ALLOWANCE : 1) + margin;
  return Math.round(Math.max(MIN_TIMEOUT_S, seconds) * 1000);
}

/** Expected ms in a slot, for ETAs: the load if needed, the prompt, and the tokens of a typical answer. */
export function expectedRunMs(estimate: EffectiveEstimate, work: ExpectedWork): number {
  const tokens = Math.min(work.maxTokens ?? TYPICAL_TOKENS, TYPICAL_TOKENS);
  const load = work.loaded ? 0 : estimate.load * 1000;
  // Seconds per 1,000 tokens are ms per token.
  return Math.round(load + work.promptTokens * estimate.prefillPer1k + tokens * estimate.per1k);
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
    const estimate = estimateFor(model.name, settings.modelTimeEstimates, measured?.slowOf(model));
    longest = Math.max(longest, estimateMs(estimate, QUEUE_WAIT_TOKENS));
  }
  return longest;
}

/** The times of each model for display, with their source. */
export function timesOf(
  models: readonly ModelInfo[],
  user: Settings['modelTimeEstimates'],
  measured: MeasuredTimes,
): ModelTimes[] {
  return models
    .filter(({ remote }) => !remote)
    .map((model) => {
      const known = measured.of(model);
      const { load, per1k, source } = estimateFor(model.name, user, known);
      return {
        backend: model.backend,
        name: model.name,
        loadS: load,
        per1kS: per1k,
        prefillPer1kS: known?.prefillPer1k ?? null,
        source,
        samples: measured.samplesOf(model),
      };
    });
}
