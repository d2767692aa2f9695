import { MLX_BEHAVIOUR } from '../../../src/main/backends/mlx/mlx-backend';
import { OLLAMA_BEHAVIOUR } from '../../../src/main/backends/ollama/ollama-options';
import { kvBytesPerToken } from '../../../src/main/memory/kv-cache';
import type { CatalogueRow } from '../../../src/main/models/catalogue-table';
import { type PairServers, type PlannedPair, pairsThatFit } from '../../../src/main/models/pair';
import { guarded } from './guarded';
import { CLASS_MACS, type PublishedMac, type PublishedModel } from './published-macs';
import { Random } from './random';
import { appsOf, type SimRequest, TRACE_S, type Trace } from './trace';
import { type Outcome, runTrace } from './world';

export const PAIR_SERVERS: PairServers = {
  light: { backend: 'mlx', behaviour: MLX_BEHAVIOUR },
  heavy: { backend: 'ollama', behaviour: OLLAMA_BEHAVIOUR },
};

/** Runs the pair that Tandem proposes for each size of Mac, under the guard. */
export function runPairs(seed: number, tracesEach: number): { machine: string; outcome: Outcome }[] {
  return CLASS_MACS.flatMap((mac, at) => {
    const pair = proposedPair(mac);
    return Array.from({ length: tracesEach }, (_, index) => {
      const trace = pairTrace(mac, pair, new Random(seed * 100_003 + at * 1009 + index * 7919));
      return { machine: mac.name, outcome: runTrace(trace, guarded(trace.told)) };
    });
  });
}

/** @throws RangeError if no pair fits */
export function proposedPair({ totalBytes }: PublishedMac): PlannedPair {
  const [pair] = pairsThatFit({ totalBytes, criticalPercent: 95 }, PAIR_SERVERS);
  if (!pair) throw new RangeError(`no pair fits ${totalBytes} bytes`);
  return pair;
}

function pairTrace(mac: PublishedMac, { light, heavy, contextTokens }: PlannedPair, random: Random): Trace {
  const small = simulated(light, contextTokens);
  const large = simulated(heavy, contextTokens);
  const requests: SimRequest[] = [];
  for (let at = random.wait(6); at < TRACE_S; at += random.wait(6)) {
    const isLight = random.next() < 0.7;
    const longest = random.next() < 0.15 ? contextTokens - 512 : 1500;
    requests.push({
      at,
      model: isLight ? small : large,
      first: isLight ? 'fragile' : 'steady',
      steadyModel: large,
      promptTokens: Math.round(random.between(30, longest)),
      maxTokens: 512,
      answerTokens: Math.round(random.between(20, 512)),
    });
  }
  const told = new Map([small, large].map(({ name }) => [name, random.between(0.9, 1.1)]));
  return { mac, light: small, apps: appsOf(mac, random), requests, told };
}

function simulated(row: CatalogueRow | null, contextTokens: number): PublishedModel {
  if (!row) throw new RangeError('the pair has only one model');
  const { name, sizeBytes, kv } = row;
  // Embeddings are the largest array of a small model: about a tenth of its bytes.
  const largestTensorBytes = sizeBytes * 0.1;
  return {
    name,
    weightsBytes: sizeBytes,
    contextTokens,
    kvBytesPerToken: kvBytesPerToken(kv),
    largestTensorBytes,
  };
}
