import type { BackendId } from '../../shared/domain';
import { kvBytesPerToken } from '../memory/kv-cache';
import type { ModelNeeds } from '../memory/model-needs';
import { runningBytes } from '../memory/needed-bytes';
import { holdsTogether, type PlannedModel, type QuietMachine } from '../memory/quiet-machine';
import type { MemoryBehaviour } from '../memory/types';
import { CATALOGUE, type CatalogueRow } from './catalogue-table';

/** A server of this run that models are proposed for; null = there is none, or it is switched off. */
export type PairServer = { backend: BackendId; behaviour: MemoryBehaviour } | null;

export interface PairServers {
  light: PairServer;
  heavy: PairServer;
}

/** Two models that run at the same time, each with `contextTokens` or its own limit if that is lower. */
export interface PlannedPair {
  light: CatalogueRow | null;
  heavy: CatalogueRow | null;
  contextTokens: number;
  memoryBytes: number;
}

/** Agents need the first context; the others are for machines where it does not fit. */
const CONTEXTS = [16_384, 8192, 4096] as const;
const LIGHT = CATALOGUE.filter(({ purpose }) => purpose === 'light');
const HEAVY = CATALOGUE.filter(({ purpose }) => purpose === 'general');

/** A context that is long enough for agents, limited by the model's own. */
export function usefulContext(contextLength: number | null, wanted: number = CONTEXTS[0]): number {
  return Math.min(contextLength ?? wanted, wanted);
}

/** A row of the catalogue as a model on its server. */
export function plannedModel(
  row: CatalogueRow,
  { behaviour }: NonNullable<PairServer>,
  contextTokens: number,
): PlannedModel {
  return { behaviour, needs: needsOf(row), contextTokens: usefulContext(row.contextLength, contextTokens) };
}

/**
 * The pairs that the ledger admits with the longest possible useful context, best first: the best heavy model counts
 * more than the best light one. With one server only, pairs of one model. Empty if nothing fits.
 */
export function pairsThatFit(machine: QuietMachine, servers: PairServers): PlannedPair[] {
  const lights = servers.light ? LIGHT : [null];
  const heavies = servers.heavy ? HEAVY : [null];
  for (const contextTokens of CONTEXTS) {
    const all = heavies.flatMap((heavy) => lights.map((light) => ({ light, heavy })));
    const pairs = all.flatMap((pair) => plannedPair(machine, servers, pair, contextTokens) ?? []);
    if (pairs.length > 0) return pairs;
  }
  return [];
}

/** The model of a pair that runs on the other server than `backend`; null = there is none. */
export function partnerOf(
  { light, heavy, contextTokens }: PlannedPair,
  servers: PairServers,
  backend: BackendId,
): PlannedModel | null {
  const [row, server] = backend === servers.light?.backend ? [heavy, servers.heavy] : [light, servers.light];
  return row && server && plannedModel(row, server, contextTokens);
}

/** Null if the ledger does not admit both, or there is no model in it. */
function plannedPair(
  machine: QuietMachine,
  servers: PairServers,
  { light, heavy }: Pick<PlannedPair, 'light' | 'heavy'>,
  contextTokens: number,
): PlannedPair | null {
  const models = [
    ...(light && servers.light ? [plannedModel(light, servers.light, contextTokens)] : []),
    ...(heavy && servers.heavy ? [plannedModel(heavy, servers.heavy, contextTokens)] : []),
  ];
  if (models.length === 0 || !holdsTogether(machine, models)) return null;
  const memoryBytes = models.reduce(
    (sum, { needs, contextTokens: tokens }) => sum + runningBytes({ needs, tokens }),
    0,
  );
  return { light, heavy, contextTokens, memoryBytes };
}

function needsOf({ sizeBytes, kv }: CatalogueRow): ModelNeeds {
  return { weightsBytes: sizeBytes, largestTensorBytes: null, kvBytesPerToken: kvBytesPerToken(kv) };
}
