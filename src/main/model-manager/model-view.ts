import type { BackendId, Category, ModelInfo } from '../../shared/domain';
import type { ModelOwner, ModelView } from '../../shared/models';
import type { BrokenModel } from '../models/model-folder';
import type { Measured } from '../times/measured-times';

/** What the app knows of a model beyond its listing. */
export interface ViewFacts {
  usedFor: readonly Category[];
  load: ModelView['load'];
  measured: Readonly<Measured> | null;
  lastUsedAt: number | null;
  contextChosen: boolean;
  owner: ModelOwner;
  hasFolder: boolean;
}

/** A model as the UI shows it. */
export function modelViewOf(model: ModelInfo, facts: ViewFacts): ModelView {
  const { backend, name, sizeBytes, billions, quantisation, weight, small, languages, remote } = model;
  const {
    fit = 'unknown',
    contextLength,
    pinnedContext = null,
    capabilities,
    kvBytesPerToken = null,
  } = model;
  const { usedFor, load, measured, lastUsedAt, contextChosen, owner, hasFolder } = facts;
  return {
    ...{ backend, name, sizeBytes, billions, quantisation, weight, small, languages, remote },
    ...{ fit, contextLength, capabilities, bytesPerToken: kvBytesPerToken },
    ...{ pinnedContext, contextChosen },
    ...{ usedFor: [...usedFor], load, lastUsedAt, owner, hasFolder },
    loadMs: typeof measured?.load === 'number' ? Math.round(measured.load * 1000) : null,
    tokensPerSecond: measured?.per1k ? Number((1000 / measured.per1k).toPrecision(3)) : null,
    broken: null,
  };
}

/** A folder without a usable model, shown so that the user sees what happened to a download. */
export function brokenViewOf(
  { name, reason, file }: BrokenModel,
  backend: BackendId,
  owner: ModelOwner,
): ModelView {
  return {
    ...{ backend, name, sizeBytes: null, billions: null, quantisation: null, weight: 'unknown' },
    ...{ small: false, languages: null, remote: false, fit: 'unknown', contextLength: null },
    ...{ pinnedContext: null, contextChosen: false, bytesPerToken: null, capabilities: [], usedFor: [] },
    ...{ load: 'none', loadMs: null, tokensPerSecond: null, lastUsedAt: null, owner, hasFolder: true },
    broken: `${reason}:${file}`,
  };
}
