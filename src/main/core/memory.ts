import type { BackendId, ModelInfo } from '../../shared/domain';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import { MemoryGate } from '../memory/memory-gate';
import type { MemoryMonitor } from '../memory/memory-monitor';
import { type ModelNeeds, UNKNOWN_NEEDS } from '../memory/model-needs';
import { isHere, statusHolder } from '../memory/status-holder';
import type { MemoryHolder } from '../memory/types';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';

/** Creates the memory gate over all servers. It reads them lazily. */
export function createMemoryGate(
  ports: { clock: Clock; logger: Logger },
  parts: {
    machine: MemoryMonitor;
    registry: BackendRegistry;
    /** The backend that loads models which this app reads from disk. */
    loader: BackendId;
    /** Memory needs of those models. */
    needs: { needsOf(model: string): Promise<ModelNeeds>; knownNeeds(model: string): ModelNeeds | null };
    models(): readonly ModelInfo[];
  },
): MemoryGate {
  const { machine, registry, loader, models, needs } = parts;
  const now = () => ports.clock.wall().getTime();
  const bySize = (backend: BackendId, name: string) => {
    const found = models().find((model) => model.backend === backend && model.name === name);
    return {
      ...UNKNOWN_NEEDS,
      weightsBytes: found?.sizeBytes ?? null,
      kvBytesPerToken: found?.kvBytesPerToken ?? null,
    };
  };
  return new MemoryGate({
    ...ports,
    machine,
    holders: new Map(registry.all().map((backend) => [backend.instance.id, holderOf(backend, now)])),
    needs: (backend) =>
      backend === loader
        ? {
            of: (name) => needs.needsOf(name),
            known: (name) => needs.knownNeeds(name) ?? bySize(backend, name),
          }
        : {
            of: (name) => Promise.resolve(bySize(backend, name)),
            known: (name) => bySize(backend, name),
          },
    isHere: (backend) => isHere(registry.get(backend).status()),
  });
}

function holderOf(backend: Backend | (Backend & MemoryHolder), now: () => number): MemoryHolder {
  return 'figures' in backend ? backend : statusHolder(() => backend.status(), now);
}

/**
 * Stops a preload that takes memory above the limit. The server restarts without a model, as memory is then above the
 * limit for preloads.
 */
export function watchPreload(machine: MemoryMonitor, gate: MemoryGate, backend: Backend): () => void {
  return machine.onSample(() => {
    const { state, stage, pid } = backend.status();
    const preloading = state === 'starting' && stage === 'loading' && pid !== null;
    if (preloading && gate.mustStopPreload(backend.instance.id)) backend.giveUpPreload?.();
  });
}
