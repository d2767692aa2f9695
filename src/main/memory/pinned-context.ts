import type { ModelNeeds } from './model-needs';
import { holdsTogether, type PlannedModel, type QuietMachine } from './quiet-machine';
import type { MemoryBehaviour } from './types';

/** A model whose context is to be decided. */
export interface ContextModel {
  /** Of the server that loads it. */
  behaviour: MemoryBehaviour;
  needs: ModelNeeds;
  /** The most tokens that the model supports. */
  contextLength: number;
}

/** The preferred model of the other server. */
export interface Partner extends ContextModel {
  /** It is on the server that comes first in the order of preference. */
  isFirst: boolean;
}

/** Coding agents lose their tools in less. */
const AGENT_TOKENS = 16_384;
/** Ollama's own default; a model that does not fit with it falls back to slower memory. */
const LEAST_TOKENS = 4_096;
const STEP_TOKENS = 1_024;

/**
 * Tokens of context that a model is always loaded with: the most that the ledger admits while the other server's
 * preferred model is loaded with its own, up to what the model supports. If both do not fit with 16,384 tokens, the
 * model gets up to 16,384 as if it were alone, as the other one can be unloaded. Pure, and independent of what runs
 * now. Two partners get equal contexts; what one of them cannot use is the other's.
 * @param partner null = the other server has no model
 */
export function pinnedContext(model: ContextModel, partner: Partner | null, machine: QuietMachine): number {
  const { contextLength } = model;
  const alone = (tokens: number) => holdsTogether(machine, [planned(model, tokens)]);
  const shared = partner ? besides(model, partner, machine) : most(contextLength, alone);
  const wanted = Math.min(contextLength, AGENT_TOKENS);
  if (shared >= wanted) return shared;
  return Math.max(shared, most(wanted, alone), Math.min(contextLength, LEAST_TOKENS));
}

function besides(model: ContextModel, partner: Partner, machine: QuietMachine): number {
  const holds = (tokens: number, others: number) =>
    holdsTogether(machine, [planned(model, tokens), planned(partner, others)]);
  const equal = most(Math.max(model.contextLength, partner.contextLength), (tokens) => holds(tokens, tokens));
  if (!partner.isFirst) return Math.min(equal, model.contextLength);
  return most(model.contextLength, (tokens) => holds(tokens, equal));
}

function planned({ behaviour, needs, contextLength }: ContextModel, tokens: number): PlannedModel {
  return { behaviour, needs, contextTokens: Math.min(tokens, contextLength) };
}

/** The largest number of tokens that fits, in steps up to the limit; 0 = none. `fits` must not grow with the number. */
function most(limit: number, fits: (tokens: number) => boolean): number {
  if (fits(limit)) return limit;
  let low = 0;
  let high = Math.ceil(limit / STEP_TOKENS);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle * STEP_TOKENS)) low = middle;
    else high = middle;
  }
  return low * STEP_TOKENS;
}
