import type { BackendId } from '../../shared/domain';
import type { MemoryStatus } from '../../shared/status';
import type { GuardView, MemoryWish } from './decision';
import { standingRefusal } from './guard';
import { type HolderFigures, ledgerAccount } from './ledger';
import type { ModelNeeds } from './model-needs';
import { cacheBytes, neededBytes, workspaceBytes } from './needed-bytes';
import { shortage } from './shortage';
import type { Figure, LoadedModel, MemoryBehaviour } from './types';

/** A machine on which nothing of ours runs yet. Bytes. */
export interface PlannedMachine {
  totalBytes: number;
  /** What the GPU may use; null = the ledger's default. */
  gpuBytes: number | null;
  /** Memory of the system and of other programs. */
  otherBytes: number;
  criticalPercent: number;
}

/** A model that would run on a server, with the tokens that its cache would hold. */
export interface PlannedModel {
  backend: BackendId;
  behaviour: MemoryBehaviour;
  name: string;
  needs: ModelNeeds;
  tokens: number;
}

/** macOS and some programs hold at least this much; measured on no machine, so it is a plan, not a figure. */
const OTHERS_BYTES = 2.5e9;
const OTHERS_SHARE = 0.1;
const WARNING_PERCENT = 85;

/** Memory that a plan leaves to the system and other programs. */
export function plannedOthers(totalBytes: number): number {
  return OTHERS_BYTES + totalBytes * OTHERS_SHARE;
}

/** Bytes of a model while it answers with a full context: weights, cache, activations. */
export function runningBytes({ needs, tokens }: Pick<PlannedModel, 'needs' | 'tokens'>): number {
  return (needs.weightsBytes ?? 0) + cacheBytes({ needs, tokens }) + workspaceBytes(needs);
}

/**
 * Would the ledger admit all these models at the same time, whichever is loaded first, while those already loaded
 * answer with full contexts? Evictions do not count as a solution.
 */
export function runTogether(machine: PlannedMachine, models: readonly PlannedModel[]): boolean {
  return [models, models.toReversed()].every((order) =>
    order.every((model, at) => isAdmitted(machine, order.slice(0, at), model)),
  );
}

function isAdmitted(
  machine: PlannedMachine,
  loaded: readonly PlannedModel[],
  { backend, behaviour, name, needs, tokens }: PlannedModel,
): boolean {
  const view = plannedView(machine, loaded, [{ backend, behaviour }]);
  const fresh = { loaded: false, coming: false };
  const wish: MemoryWish = {
    ...{ backend, model: name, needs, tokens },
    ...{ purpose: 'request', expectedS: null, mayMove: false, overruled: false },
  };
  if (standingRefusal(wish, view.account)) return false;
  const needed = neededBytes(wish, view.account, fresh);
  return needed !== null && shortage(wish, view, needed, fresh) === null;
}

/** The guard's view of a machine on which these models answer; `also` are servers without a model. */
export function plannedView(
  { totalBytes, gpuBytes, otherBytes, criticalPercent }: PlannedMachine,
  loaded: readonly PlannedModel[],
  also: readonly Pick<PlannedModel, 'backend' | 'behaviour'>[] = [],
): GuardView {
  const servers = new Map([...also, ...loaded].map(({ backend, behaviour }) => [backend, behaviour]));
  const usedBytes = otherBytes + loaded.reduce((sum, model) => sum + runningBytes(model), 0);
  const machine: MemoryStatus = {
    ...{ totalBytes, usedBytes, usedPercent: (100 * usedBytes) / totalBytes },
    ...{ warningPercent: WARNING_PERCENT, criticalPercent, pressure: 'normal', source: 'plan', at: 0 },
    backendBytes: {},
  };
  const holders = [...servers].map(([backend, behaviour]) =>
    holderOf(
      backend,
      behaviour,
      loaded.filter((model) => model.backend === backend),
      gpuBytes,
    ),
  );
  return { account: ledgerAccount(machine, holders), critical: false, now: 0 };
}

function holderOf(
  backend: BackendId,
  behaviour: MemoryBehaviour,
  models: readonly PlannedModel[],
  gpuBytes: number | null,
): HolderFigures {
  const figure = (bytes: number | null): Figure => ({ bytes, source: 'plan', at: 0 });
  const loaded: LoadedModel[] = models.map((model) => ({
    name: model.name,
    size: figure(runningBytes(model)),
    ...{ ready: true, ours: true, active: 1, lastUsedAt: null },
  }));
  const held = models.reduce((sum, model) => sum + runningBytes(model), 0);
  return {
    backend,
    behaviour,
    figures: {
      process: figure(models.length > 0 ? held : null),
      inside: { weights: null, kvCache: null, buffers: null },
      peak: null,
      device: { workingSet: gpuBytes === null ? null : figure(gpuBytes), buffer: null },
    },
    loaded,
  };
}
