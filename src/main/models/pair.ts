import { type PlannedMachine, type PlannedModel, runningBytes, runTogether } from '../memory/planned';
import { CATALOGUE, type CatalogueRow } from './catalogue-table';

/** A server of this run that models are proposed for; null = there is none, or it is switched off. */
export type PairServer = Pick<PlannedModel, 'backend' | 'behaviour'> | null;

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

/** Agents need the first context; the others are for machines where it does not fit (product, section 3). */
const CONTEXTS = [16_384, 8192, 4096] as const;
const LIGHT = CATALOGUE.filter(({ purpose }) => purpose === 'light');
const HEAVY = CATALOGUE.filter(({ purpose }) => purpose === 'general');

/** A context that is long enough for agents, limited by the model's own. */
export function usefulContext(contextLength: number | null, wanted: number = CONTEXTS[0]): number {
  return Math.min(contextLength ?? wanted, wanted);
}

/** A row as a model on its server. */
export function plannedModel(
  { name, sizeBytes, kv, contextLength }: CatalogueRow,
  server: NonNullable<PairServer>,
  contextTokens: number,
): PlannedModel {
  const needs = { weightsBytes: sizeBytes, largestTensorBytes: null, kv };
  return { ...server, name, needs, tokens: usefulContext(contextLength, contextTokens) };
}

/**
 * The pairs that the ledger admits with the longest possible useful context, best first: the best heavy model counts
 * more than the best light one. With one server only, pairs of one model. Empty if nothing fits.
 */
export function pairsThatFit(machine: PlannedMachine, { light, heavy }: PairServers): PlannedPair[] {
  const lights = light ? LIGHT : [null];
  const heavies = heavy ? HEAVY : [null];
  for (const contextTokens of CONTEXTS) {
    const pairs = heavies.flatMap((heavyRow) =>
      lights.flatMap((lightRow) => {
        const models = [
          ...(light && lightRow ? [plannedModel(lightRow, light, contextTokens)] : []),
          ...(heavy && heavyRow ? [plannedModel(heavyRow, heavy, contextTokens)] : []),
        ];
        if (models.length === 0 || !runTogether(machine, models)) return [];
        const memoryBytes = models.reduce((sum, model) => sum + runningBytes(model), 0);
        return [{ light: lightRow, heavy: heavyRow, contextTokens, memoryBytes }];
      }),
    );
    if (pairs.length > 0) return pairs;
  }
  return [];
}
