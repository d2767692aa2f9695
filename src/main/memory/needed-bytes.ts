import { contextCost } from '../../shared/context-cost';
import type { MemoryWish } from './decision';
import { type Account, behaviourOf } from './ledger';
import { spareBytes } from './ledger-sums';
import type { ModelNeeds } from './model-needs';

/** Relative error of reported and estimated sizes. */
export const SIZE_ERROR = 0.1;
/** Activations of one prefill step: this share of the weights, and at least `WORKSPACE_BYTES`. */
const WORKSPACE_SHARE = 0.04;
const WORKSPACE_BYTES = 200_000_000;

/** State of the requested model; neither = it must be loaded. */
export interface LoadState {
  loaded: boolean;
  coming: boolean;
}

/** Weights (unless loaded or promised), cache and activations; null if weights to be loaded are unknown. */
export function neededBytes(
  wish: MemoryWish,
  account: Account,
  { loaded, coming }: LoadState,
): number | null {
  const { reserves } = behaviourOf(account, wish.backend);
  if ((loaded || coming) && reserves) return 0;
  const { weightsBytes } = wish.needs;
  const cache = cacheBytes({ ...wish, tokens: reserves ? (wish.contextTokens ?? wish.tokens) : wish.tokens });
  const workspace = workspaceBytes(wish.needs);
  if (loaded) return Math.max(0, cache + workspace - spareBytes(account.ledger, wish.backend));
  if (coming) return cache + workspace;
  return weightsBytes === null ? null : Math.ceil((weightsBytes + cache) * (1 + SIZE_ERROR) + workspace);
}

/** Bytes of the activations of one prefill step. */
export function workspaceBytes({ weightsBytes }: ModelNeeds): number {
  return Math.max(WORKSPACE_BYTES, (weightsBytes ?? 0) * WORKSPACE_SHARE);
}

/** Bytes of a cache for `tokens` tokens; for a cache of unknown shape, the usual maximum. */
export function cacheBytes({ needs, tokens }: Pick<MemoryWish, 'needs' | 'tokens'>): number {
  return contextCost({ sizeBytes: needs.weightsBytes, kvBytesPerToken: needs.kvBytesPerToken }, tokens);
}

/** Bytes of a model while it answers with a context of `tokens` tokens: weights, cache, activations. */
export function runningBytes({ needs, tokens }: Pick<MemoryWish, 'needs' | 'tokens'>): number {
  return (needs.weightsBytes ?? 0) + cacheBytes({ needs, tokens }) + workspaceBytes(needs);
}
