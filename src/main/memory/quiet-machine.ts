import type { MemoryStatus } from '../../shared/status';
import { standingRefusal } from './guard';
import { type HolderFigures, ledgerAccount, WORKING_SET_SHARE } from './ledger';
import type { ModelNeeds } from './model-needs';
import { cacheBytes, neededBytes, workspaceBytes } from './needed-bytes';
import { shortage } from './shortage';
import type { Figure, MemoryBehaviour } from './types';

/**
 * A machine on which the system, a few programs and the servers run. What it holds depends on nothing momentary, so
 * that plans made for it stay the same.
 */
export interface QuietMachine {
  totalBytes: number;
  /** Share of memory, in percent, above which memory is critical. */
  criticalPercent: number;
}

/** A model as a server would load it. */
export interface PlannedModel {
  /** Of the server that loads it. */
  behaviour: MemoryBehaviour;
  needs: ModelNeeds;
  /** Tokens of its context, all of them in use. */
  contextTokens: number;
}

/** What the kernel and a few programs take after a login: a fixed part, and a share of memory. */
const SYSTEM_BYTES = 1.6e9;
const PROGRAMS_SHARE = 0.12;
/**
 * `recommendedMaxWorkingSetSize` of Metal: two thirds of memory up to 36 GB, three quarters above. Newer systems allow
 * more (107.5 GiB of 128), which a launcher reports only while it runs.
 */
const SMALL_BYTES = 36 * 2 ** 30;
const SMALL_SHARE = 2 / 3;

/** Does the ledger admit these models together, whichever is loaded last? Pure. */
export function holdsTogether(machine: QuietMachine, models: readonly PlannedModel[]): boolean {
  return models.every((last) => admitsLast(machine, models, last));
}

function admitsLast(machine: QuietMachine, models: readonly PlannedModel[], last: PlannedModel): boolean {
  const held = (model: PlannedModel) => (model === last ? 0 : heldBytes(model));
  const used = models.reduce((sum, model) => sum + held(model), quietBytes(machine));
  const holders = models.map((model, index) => holderOf(model, String(index), held(model), machine));
  const account = ledgerAccount(statusOf(machine, used), holders);
  const wish = {
    ...{ backend: String(models.indexOf(last)), model: '', purpose: 'request' as const, needs: last.needs },
    ...{ tokens: last.contextTokens, expectedS: null, mayMove: false, overruled: false },
  };
  if (standingRefusal(wish, account)) return false;
  const absent = { loaded: false, coming: false };
  const needed = neededBytes(wish, account, absent);
  return shortage(wish, { account, critical: false, now: 0 }, needed, absent) === null;
}

function quietBytes({ totalBytes }: QuietMachine): number {
  return SYSTEM_BYTES + totalBytes * PROGRAMS_SHARE;
}

function workingSetOf({ totalBytes }: QuietMachine): number {
  return totalBytes * (totalBytes <= SMALL_BYTES ? SMALL_SHARE : WORKING_SET_SHARE);
}

function heldBytes({ needs, contextTokens: tokens }: PlannedModel): number {
  return (needs.weightsBytes ?? 0) + cacheBytes({ needs, tokens }) + workspaceBytes(needs);
}

/** @param bytes 0 = not loaded yet */
function holderOf(
  { behaviour }: PlannedModel,
  backend: string,
  bytes: number,
  machine: QuietMachine,
): HolderFigures {
  const size = figure(bytes);
  const idle = { ready: true, ours: true, active: 0, lastUsedAt: null };
  return {
    backend,
    behaviour,
    figures: {
      process: size,
      inside: { weights: null, kvCache: null, buffers: null },
      peak: null,
      device: { workingSet: figure(workingSetOf(machine)), buffer: null },
    },
    loaded: bytes === 0 ? [] : [{ name: '', size, ...idle }],
  };
}

function statusOf({ totalBytes, criticalPercent }: QuietMachine, usedBytes: number): MemoryStatus {
  const usedPercent = (usedBytes / totalBytes) * 100;
  const thresholds = { warningPercent: criticalPercent, criticalPercent };
  const origin = { source: 'estimate', at: 0, backendBytes: {} };
  return { totalBytes, usedBytes, usedPercent, pressure: 'normal', ...thresholds, ...origin };
}

function figure(bytes: number): Figure {
  return { bytes, source: 'estimate', at: 0 };
}
