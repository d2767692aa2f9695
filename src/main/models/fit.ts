import type { ModelFit, ModelInfo } from '../../shared/domain';
import { runningBytes } from '../memory/needed-bytes';
import { usefulContext } from './pair';

/** The shortest context with which a model is of any use. */
const SHORTEST_CONTEXT = 4096;
/** KV cache and activations as a share of the weights, if the model's shape is unknown. */
const UNKNOWN_SHAPE_SHARE = 0.2;
/** Above this share of the GPU's limit there is no room for a second model. */
const TIGHT_FROM = 0.6;

/** Share of memory that the GPU may use, if the system does not report it (product rule, section 5). */
export const GPU_SHARE = 0.75;

type Sized = Pick<ModelInfo, 'sizeBytes'> & Partial<Pick<ModelInfo, 'contextLength' | 'kvBytesPerToken'>>;

/** Bytes of a model that answers, with a context of so many tokens or its own limit. Null without a size. */
export function footprintOf(
  { sizeBytes, contextLength, kvBytesPerToken }: Sized,
  tokens: number,
): number | null {
  if (sizeBytes === null) return null;
  if (kvBytesPerToken === undefined) return sizeBytes * (1 + UNKNOWN_SHAPE_SHARE);
  const needs = { weightsBytes: sizeBytes, largestTensorBytes: null, kvBytesPerToken };
  return runningBytes({ needs, tokens: usefulContext(contextLength ?? null, tokens) });
}

/** Does a model fit on a machine whose GPU may use `gpuBytes`? Null = not known yet. */
export function fitOf(model: Sized, gpuBytes: number | null): ModelFit {
  const least = footprintOf(model, SHORTEST_CONTEXT);
  const usual = footprintOf(model, usefulContext(null));
  if (least === null || usual === null || !gpuBytes) return 'unknown';
  if (least > gpuBytes) return 'no';
  return usual > gpuBytes * TIGHT_FROM ? 'tight' : 'yes';
}
