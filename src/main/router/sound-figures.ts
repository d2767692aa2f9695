import type { CompletionChunk, CompletionEnd } from '../../shared/completion';

/** A server's figure beyond these is an error in the report, not a slow or large answer. */
const MOST_TOKENS = 1_000_000_000;
const MOST_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * A last frame with plausible figures only: invalid ones, such as text or 1e308 ms, are left out (tokens become 0).
 * Every backend's figures pass here before they go to the journal and the estimates.
 */
export function soundEnd({ reason, promptTokens, completionTokens, ...times }: CompletionEnd): CompletionEnd {
  const end: CompletionEnd = {
    reason,
    promptTokens: isCount(promptTokens) ? promptTokens : 0,
    completionTokens: isCount(completionTokens) ? completionTokens : 0,
  };
  for (const name of ['loadMs', 'promptMs', 'evalMs'] as const) {
    const ms = times[name];
    if (isWithin(ms, MOST_MS)) end[name] = ms;
  }
  const { cachedTokens } = times;
  if (isCount(cachedTokens) && cachedTokens <= end.promptTokens) end.cachedTokens = cachedTokens;
  return end;
}

/** Does a chunk report progress in plausible figures? Chunks without figures always pass. */
export function isSoundChunk(chunk: CompletionChunk): boolean {
  return chunk.type !== 'prefill' || (isCount(chunk.done) && isCount(chunk.total));
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && isWithin(value, MOST_TOKENS);
}

function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= most;
}
