import type { ModelView } from '../../shared/contract';
import type { BackendId, ModelInfo } from '../../shared/domain';
import type { BrokenModel } from './model-folder';

/** A model as the UI shows it. */
export function modelViewOf(model: ModelInfo): ModelView {
  const { backend, name, sizeBytes, billions, quantisation, weight, small, languages, remote } = model;
  const { fit = 'unknown', contextLength, pinnedContext = null, capabilities } = model;
  return {
    backend,
    name,
    sizeBytes,
    billions,
    quantisation,
    weight,
    small,
    languages,
    remote,
    fit,
    contextLength,
    pinnedContext,
    capabilities,
    broken: null,
  };
}

/** A folder without a usable model, shown so that the user sees what happened to a download. */
export function brokenViewOf({ name, reason, file }: BrokenModel, backend: BackendId): ModelView {
  return {
    backend,
    name,
    sizeBytes: null,
    billions: null,
    quantisation: null,
    weight: 'unknown',
    small: false,
    languages: null,
    remote: false,
    fit: 'unknown',
    contextLength: null,
    pinnedContext: null,
    capabilities: [],
    broken: `${reason}:${file}`,
  };
}
