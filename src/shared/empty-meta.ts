import type { AnswerMeta } from './chat';

/** The label of an answer before anything is known about it. */
export function emptyMeta(): AnswerMeta {
  return {
    source: null,
    model: null,
    category: null,
    reasons: [],
    queueMs: null,
    ttftMs: null,
    tokensPerSecond: null,
    promptTokens: null,
    completionTokens: null,
    breaks: [],
    position: null,
    etaMs: null,
    droppedTurns: 0,
    error: null,
    notice: null,
  };
}
