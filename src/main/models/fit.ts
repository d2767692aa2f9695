import type { ModelFit, ModelInfo } from '../../shared/domain';

/** A context long enough to be useful; more is used if memory allows. */
const USEFUL_TOKENS = 8192;
/** Buffers of the computation, in addition to weights and KV cache. */
const BUFFER_SHARE = 0.05;
/** KV cache and buffers as a share of the weights, if the model's shape is unknown. */
const UNKNOWN_SHAPE_SHARE = 0.2;
/** Above this share of the GPU's limit there is no room for a second model. */
const TIGHT_FROM = 0.6;

/** Share of memory that the GPU may use, if the system does not report it (product rule, section 5). */
export const GPU_SHARE = 0.75;

type Sized = Pick<ModelInfo, 'sizeBytes'> & Partial<Pick<ModelInfo, 'contextLength' | 'kvBytesPerToken'>>;

/** Bytes that a running model needs: weights, KV cache of a useful context, buffers. Null without a size. */
export function footprintOf({ sizeBytes, contextLength, kvBytesPerToken }: Sized): number | null {
  if (sizeBytes === null) return null;
  if (kvBytesPerToken === undefined) return sizeBytes * (1 + UNKNOWN_SHAPE_SHARE);
  const tokens = Math.min(contextLength ?? USEFUL_TOKENS, USEFUL_TOKENS);
  return sizeBytes * (1 + BUFFER_SHARE) + tokens * kvBytesPerToken;
}

/** Does a model fit on a machine whose GPU may use `gpuBytes`? Null = not known yet. */
export function fitOf(model: Sized, gpuBytes: number | null): ModelFit {
  const needed = footprintOf(model);
  if (needed === null || !gpuBytes) return 'unknown';
  const share = needed / gpuBytes;
  if (share > 1) return 'no';
  return share > TIGHT_FROM ? 'tight' : 'yes';
}
