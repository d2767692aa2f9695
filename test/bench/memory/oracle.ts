import type { Policy, Seen, SimWish } from './policy';
import type { PublishedMac, PublishedModel } from './published-macs';
import { sizeOf } from './steady';

/** Margins (shares of memory); for each trace the best one in hindsight counts. */
export const ORACLE_MARGINS: readonly number[] = [0, 0.02, 0.05, 0.1, 0.15, 0.2];

/** It must follow the rule that a recently used model is not evicted, seconds. */
const KEEP_S = 30;
const FRAGILE_EXTRA = 0.15e9;

/**
 * Sees the same late samples and the same prompts, and knows what the guard does not: the exact size of every model,
 * the growth of its cache, and the machine's limits. Only the future memory of other programs is unknown to it too; for
 * that it keeps a margin, and the best margin for the trace counts.
 */
export function oracle(mac: PublishedMac, models: readonly PublishedModel[], margin: number): Policy {
  const exact = new Map(models.map((model) => [model.name, model]));
  return {
    decide(wish, seen) {
      if (!seen.sample) return { kind: 'wait', neededBytes: null };
      const need = needOf(wish, seen);
      if (wish.server === 'fragile' && wish.model.largestTensorBytes > mac.bufferBytes)
        return { kind: 'refuse' };
      const { usedBytes, exact: known, at } = seen.sample;
      // Requests admitted since the sample are in none of its figures.
      const unseen = seen.promised.reduce(
        (sum, { bytes, since }) => sum + (since >= at ? (bytes ?? 0) : 0),
        0,
      );
      const coming = known.fragileComing + known.steadyComing + unseen;
      const freeMemory = seen.totalBytes * (1 - margin) - usedBytes - coming;
      const freeGpu = mac.workingSetBytes - known.fragileGpu - known.steadyGpu - coming;
      const short = need - Math.min(freeMemory, freeGpu);
      if (short <= 0) return { kind: 'admit', promiseBytes: need };
      const models = evict(seen, exact, short, wish.model.name);
      if (models) return { kind: 'evict', models };
      if (wish.server === 'fragile') return { kind: 'refuse' };
      return seen.fragile.busy || seen.fragile.loading
        ? { kind: 'wait', neededBytes: need }
        : { kind: 'admit', promiseBytes: need };
    },
    onSample: () => [],
  };
}

function needOf({ server, model, request }: SimWish, { fragile, steady }: Seen): number {
  if (server === 'steady') return steady.some(({ name }) => name === model.name) ? 0 : sizeOf(model);
  const cache = request ? (request.promptTokens + request.maxTokens) * model.kvBytesPerToken : 0;
  return (
    (fragile.model === model ? 0 : model.weightsBytes) + cache + FRAGILE_EXTRA + model.weightsBytes * 0.02
  );
}

function evict(
  { steady, now }: Seen,
  exact: ReadonlyMap<string, PublishedModel>,
  bytes: number,
  keep: string,
): string[] | null {
  const idle = steady
    .filter(({ name, busy, lastUsedAt }) => !busy && name !== keep && now - lastUsedAt >= KEEP_S)
    .sort((a, b) => a.lastUsedAt - b.lastUsedAt);
  const chosen: string[] = [];
  let freed = 0;
  for (const { name } of idle) {
    if (freed >= bytes) break;
    const model = exact.get(name);
    chosen.push(name);
    freed += model ? sizeOf(model) : 0;
  }
  return freed >= bytes && chosen.length > 0 ? chosen : null;
}
