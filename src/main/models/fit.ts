import type { ModelFit, ModelInfo } from '../../shared/domain';
import { holdsTogether, type PlannedModel, type QuietMachine } from '../memory/quiet-machine';
import type { MemoryBehaviour } from '../memory/types';
import { type PairServer, type PairServers, pairsThatFit, partnerOf, usefulContext } from './pair';

/** The shortest context with which a model is of any use. */
const SHORTEST_CONTEXT = 4096;

/** Where a model would run. */
export interface FitPlace {
  machine: QuietMachine;
  /** Of the server that loads it. */
  behaviour: MemoryBehaviour;
  /** The catalogue's best model of the other server; null = there is none. */
  partner: PlannedModel | null;
  /** Context with which it should run, in tokens. */
  contextTokens: number;
}

type Sized = Pick<ModelInfo, 'sizeBytes'> & Partial<Pick<ModelInfo, 'contextLength' | 'kvBytesPerToken'>>;

/** The place of a server's models, with the best pair of the catalogue. */
export function fitPlace(
  machine: QuietMachine,
  servers: PairServers,
  { backend, behaviour }: NonNullable<PairServer>,
): FitPlace {
  const [best] = pairsThatFit(machine, servers);
  const contextTokens = best?.contextTokens ?? usefulContext(null);
  return { machine, behaviour, partner: best ? partnerOf(best, servers, backend) : null, contextTokens };
}

/**
 * Does a model fit, by the ledger's arithmetic? `yes`: it runs together with its partner; `tight`: it runs alone; `no`:
 * not even that, with the shortest useful context. A cache of unknown shape counts as its upper bound, and not at all
 * for `no`.
 * @param place null = unknown, such as another machine
 */
export function fitOf(
  { sizeBytes, contextLength = null, kvBytesPerToken }: Sized,
  place: FitPlace | null,
): ModelFit {
  if (sizeBytes === null || place === null) return 'unknown';
  const { machine, behaviour, partner, contextTokens } = place;
  const isKnown = kvBytesPerToken !== undefined;
  const needs = {
    weightsBytes: sizeBytes,
    largestTensorBytes: null,
    kvBytesPerToken: kvBytesPerToken ?? null,
  };
  const planned = (tokens: number): PlannedModel => ({
    ...{ behaviour, needs },
    contextTokens: usefulContext(contextLength, tokens),
  });
  const isUsual = holdsTogether(machine, [...(partner ? [partner] : []), planned(contextTokens)]);
  if (isUsual) return 'yes';
  const least = planned(isKnown ? SHORTEST_CONTEXT : 0);
  return holdsTogether(machine, [least]) ? 'tight' : 'no';
}
