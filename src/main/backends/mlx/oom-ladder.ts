import type { Ladder } from '../../../shared/incidents';
import { own } from '../../../shared/own';

/**
 * How far each model's limits are reduced after deaths of the GPU, as pure functions. A model goes down one rung with
 * each death from lack of memory; its prefill steps get shorter with each death because one command took too long.
 * Each day of running without such a death takes one of both back. Below the last rung the server stays down.
 */

export interface Rung {
  kind: Ladder['kind'];
  /** Bytes of prompts kept for reuse. */
  promptCacheBytes: number;
  /** Prompt and answer together; null = the model's own limit. */
  contextTokens: number | null;
  /** Prompt tokens computed in one step: its buffers grow with them. */
  prefillStepTokens: number;
}

/**
 * Prompt tokens computed in one uninterruptible step, full size first. 128 take well under 2 s from a small model on a
 * CPU up to a 32B model on Apple silicon; behind 120,000 tokens of context they can take so long that macOS kills the
 * command for blocking the display, and only a shorter step helps.
 */
export const STEP_TOKENS = [128, 64, 32] as const;

const FULL: Rung = {
  kind: 'full',
  promptCacheBytes: 1_000_000_000,
  contextTokens: null,
  prefillStepTokens: STEP_TOKENS[0],
};
const LITTLE_CACHE: Rung = { ...FULL, kind: 'prompt_cache', promptCacheBytes: 128_000_000 };
/** A 4B model's KV cache of 4,096 tokens is about half a GB; of its full 32,768 tokens, about 4 GB. */
const SHORT: Rung = { ...LITTLE_CACHE, kind: 'context', contextTokens: 4096, prefillStepTokens: 64 };
const SMALLER: Rung = { ...SHORT, kind: 'model' };

export const RUNGS: readonly Rung[] = [FULL, LITTLE_CACHE, SHORT, SMALLER];

export const STABLE_MS = 24 * 60 * 60 * 1000;

/** Stored state of one model that has died. A model with both at 0 is not stored. */
export interface Remembered {
  /** Index in `RUNGS`. */
  rung: number;
  /** Index in `STEP_TOKENS`. */
  steps: number;
  /** Ms of running on this rung, over all starts. */
  stableMs: number;
  /** The most that MLX held before it last ran out, bytes; null = not known. */
  peakBytes: number | null;
}

/** By the name that clients use. */
export type LadderMemory = Readonly<Record<string, Remembered>>;

export function rungOf(memory: LadderMemory, model: string): Rung {
  return RUNGS[own(memory, model)?.rung ?? 0] ?? SMALLER;
}

/**
 * After a death from lack of memory: one rung down. `bottom` = there is none left.
 * @param smaller there is a smaller model that could replace it
 */
export function stepDown(
  memory: LadderMemory,
  model: string,
  smaller: boolean,
  peakBytes: number | null,
): { memory: LadderMemory; bottom: boolean } {
  const { rung: before, steps } = own(memory, model) ?? { rung: 0, steps: 0 };
  const last = RUNGS.length - (smaller ? 1 : 2);
  const rung = Math.min(before + 1, Math.max(last, before));
  return { memory: { ...memory, [model]: { rung, steps, stableMs: 0, peakBytes } }, bottom: rung === before };
}

/** After the system ended a command that took too long: shorter prefill steps, and the same caches. */
export function shortenSteps(memory: LadderMemory, model: string): LadderMemory {
  const known = own(memory, model) ?? { rung: 0, steps: 0, peakBytes: null };
  const steps = Math.min(known.steps + 1, STEP_TOKENS.length - 1);
  return { ...memory, [model]: { ...known, steps, stableMs: 0 } };
}

/** Adds running time; a whole day moves the model up one rung and one step, and at full size it is not stored. */
export function rest(memory: LadderMemory, model: string, ms: number): LadderMemory {
  const known = own(memory, model);
  if (!known) return memory;
  const stableMs = known.stableMs + ms;
  if (stableMs < STABLE_MS) return { ...memory, [model]: { ...known, stableMs } };
  const rung = Math.max(0, known.rung - 1);
  const steps = Math.max(0, known.steps - 1);
  if (rung + steps > 0) return { ...memory, [model]: { ...known, rung, steps, stableMs: 0 } };
  return Object.fromEntries(Object.entries(memory).filter(([name]) => name !== model));
}

/** Prompt tokens in one step of a model: the shorter of what its rung and its steps allow. */
export function stepTokens(memory: LadderMemory, model: string): number {
  const steps = STEP_TOKENS[own(memory, model)?.steps ?? 0] ?? STEP_TOKENS[0];
  return Math.min(rungOf(memory, model).prefillStepTokens, steps);
}

/** Ms of running until it climbs; null = on the first rung. */
export function untilClimb(memory: LadderMemory, model: string): number | null {
  const known = own(memory, model);
  return known ? STABLE_MS - known.stableMs : null;
}

/** Share of the peak before a death from lack of memory that MLX may hold before it waits for memory to be freed. */
const MEMORY_SHARE = 0.9;
/** Bytes of freed buffers kept for reuse, below the first rung. */
const BUFFER_POOL_BYTES = 256_000_000;

export interface ProcessLimits {
  promptCacheBytes: number;
  prefillStepTokens: number;
  /** Null = MLX's own limit. */
  bufferPoolBytes: number | null;
  memoryBytes: number | null;
}

/**
 * Limits of a whole process: any stored model may be loaded into it, so the tightest limit of all counts.
 * @param first the model that it loads at its start
 */
export function processLimits(memory: LadderMemory, first: string | null): ProcessLimits {
  const models = Object.keys(memory);
  const rungs = models.map((model) => rungOf(memory, model));
  const short = rungs.some(({ kind }) => kind !== 'full');
  const peak = (first === null ? null : own(memory, first)?.peakBytes) ?? null;
  return {
    promptCacheBytes: Math.min(FULL.promptCacheBytes, ...rungs.map((rung) => rung.promptCacheBytes)),
    prefillStepTokens: Math.min(FULL.prefillStepTokens, ...models.map((model) => stepTokens(memory, model))),
    bufferPoolBytes: short ? BUFFER_POOL_BYTES : null,
    memoryBytes: peak === null ? null : Math.round(peak * MEMORY_SHARE),
  };
}
