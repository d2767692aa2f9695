import { MLX_BEHAVIOUR } from '../../../src/main/backends/mlx/mlx-backend';
import { OLLAMA_BEHAVIOUR } from '../../../src/main/backends/ollama/ollama-options';
import type { GuardView, MemoryWish } from '../../../src/main/memory/decision';
import { decide, isLoaded } from '../../../src/main/memory/guard';
import { relief } from '../../../src/main/memory/idle-models';
import { type HolderFigures, ledgerAccount, risingBetween } from '../../../src/main/memory/ledger';
import { pressureOf, usedPercent } from '../../../src/main/memory/pressure';
import { nextLatch, RELAXED } from '../../../src/main/memory/pressure-latch';
import type { Figure, LoadedModel } from '../../../src/main/memory/types';
import type { BackendId } from '../../../src/shared/domain';
import type { MemoryStatus } from '../../../src/shared/status';
import type { Policy, Seen, SimWish } from './policy';
import type { Sample } from './samplers';

const THRESHOLDS = { warningPercent: 85, criticalPercent: 95 };
const BACKENDS: Record<SimWish['server'], BackendId> = { fragile: 'mlx', steady: 'ollama' };

/** The app's own ledger and guard, fed with the figures of the samplers. */
export function guarded(told: ReadonlyMap<string, number>): Policy {
  let latch = RELAXED;
  let last: MemoryStatus | null = null;
  let rising = 0;
  /** Remaining bytes of the loads at the last sample, plus those that have started since. */
  let loading = 0;
  const viewOf = (seen: Seen, sample: Sample): GuardView => ({
    account: ledgerAccount(
      machineOf(seen, sample),
      [fragileFigures(seen, sample), steadyFigures(seen, sample)],
      seen.promised.map((promise) => ({
        ...promise,
        backend: BACKENDS[promise.server],
        at: promise.since * 1000,
      })),
      { risingBytesPerS: rising },
    ),
    critical: latch.critical,
    now: seen.now * 1000,
  });
  return {
    decide(wish, seen) {
      if (!seen.sample) return { kind: 'wait', neededBytes: null };
      const view = viewOf(seen, seen.sample);
      const asked = wishOf(wish, told);
      const decision = decide(asked, view);
      const loads = wish.purpose === 'request' && !isLoaded(asked, view.account);
      if (decision.kind === 'admit' && loads) loading += decision.promiseBytes ?? 0;
      if (decision.kind !== 'evict') return decision;
      return { kind: 'evict', models: decision.models.map(({ model }) => model) };
    },
    onSample(seen) {
      if (!seen.sample) return [];
      const machine = machineOf(seen, seen.sample);
      latch = nextLatch(latch, machine);
      const { loadingBytes } = viewOf(seen, seen.sample).account;
      const seconds = last ? (machine.at - last.at) / 1000 : 0;
      rising = last ? risingBetween(last, machine, seconds, loading - loadingBytes) : 0;
      last = machine;
      loading = loadingBytes;
      return relief(viewOf(seen, seen.sample)).map(({ model }) => model);
    },
  };
}

function wishOf(
  { server, model, purpose, request, expectedS }: SimWish,
  told: ReadonlyMap<string, number>,
): MemoryWish {
  return {
    backend: BACKENDS[server],
    model: model.name,
    purpose,
    // The growth of the cache is unknown.
    needs: {
      weightsBytes: model.weightsBytes * (told.get(model.name) ?? 1),
      largestTensorBytes: model.largestTensorBytes,
      kvBytesPerToken: null,
    },
    tokens: request ? request.promptTokens + request.maxTokens : 0,
    expectedS,
    mayMove: server === 'fragile',
    overruled: false,
  };
}

function machineOf({ totalBytes }: Seen, { at, usedBytes, fragile, steady }: Sample): MemoryStatus {
  const reading = { totalBytes, usedBytes, kernelLevel: null, source: 'vm_stat' as const };
  return {
    ...{ totalBytes, usedBytes, ...THRESHOLDS, source: 'vm_stat', at: at * 1000 },
    usedPercent: usedPercent(reading),
    pressure: pressureOf(reading, THRESHOLDS),
    backendBytes: { mlx: fragile.processBytes, ollama: steady.processBytes },
  };
}

function fragileFigures({ fragile: seen, now }: Seen, { at, fragile }: Sample): HolderFigures {
  const figure = (bytes: number): Figure => ({ bytes, source: 'launcher', at: at * 1000 });
  const idle = { ours: true, lastUsedAt: null, active: 0 };
  const loaded: LoadedModel[] = [];
  if (seen.model) {
    const size = figure(fragile.weights + fragile.kv);
    loaded.push({ ...idle, name: seen.model.name, size, ready: true, active: seen.busy ? 1 : 0 });
  }
  if (seen.loading) {
    loaded.push({ ...idle, name: seen.loading.name, size: figure(fragile.weights), ready: false });
  }
  return {
    backend: 'mlx',
    behaviour: MLX_BEHAVIOUR,
    figures: {
      process: seen.alive
        ? figure(fragile.processBytes)
        : { bytes: null, source: 'launcher', at: now * 1000 },
      inside: {
        weights: figure(fragile.weights),
        kvCache: figure(fragile.kv),
        buffers: figure(fragile.buffers),
      },
      peak: null,
      device: { workingSet: null, buffer: null },
    },
    loaded,
  };
}

function steadyFigures({ steady: seen }: Seen, { at, steady }: Sample): HolderFigures {
  const figure = (bytes: number | null): Figure => ({ bytes, source: 'api/ps', at: at * 1000 });
  return {
    backend: 'ollama',
    behaviour: OLLAMA_BEHAVIOUR,
    figures: {
      process: { bytes: steady.processBytes, source: 'footprint', at: at * 1000 },
      inside: { weights: null, kvCache: null, buffers: null },
      peak: null,
      device: { workingSet: null, buffer: null },
    },
    loaded: seen.map(({ name, busy, lastUsedAt }) => ({
      name,
      size: figure(steady.sizes.get(name) ?? null),
      ready: steady.ready.has(name),
      ours: true,
      active: busy ? 1 : 0,
      lastUsedAt: lastUsedAt * 1000,
    })),
  };
}
