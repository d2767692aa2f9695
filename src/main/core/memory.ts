import type { BackendId, ModelInfo } from '../../shared/domain';
import type { Backend } from '../backends/backend';
import { MemoryGate } from '../memory/memory-gate';
import type { MemoryMonitor } from '../memory/memory-monitor';
import { type ModelNeeds, UNKNOWN_NEEDS } from '../memory/model-needs';
import { isHere, statusHolder } from '../memory/status-holder';
import type { MemoryHolder } from '../memory/types';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';

/** Creates the memory gate over both servers. It reads them lazily. */
export function createMemoryGate(
  ports: { clock: Clock; logger: Logger },
  parts: {
    machine: MemoryMonitor;
    backends: Readonly<Record<BackendId, Backend>>;
    /** Memory needs of models that this app reads from disk. */
    needs: { needsOf(model: string): Promise<ModelNeeds>; knownNeeds(model: string): ModelNeeds | null };
    models(): readonly ModelInfo[];
  },
): MemoryGate {
  const { machine, backends, models, needs } = parts;
  const now = () => ports.clock.wall().getTime();
  const bySize = (backend: BackendId, name: string) => {
    const found = models().find((model) => model.backend === backend && model.name === name);
    return { ...UNKNOWN_NEEDS, weightsBytes: found?.sizeBytes ?? null };
  };
  return new MemoryGate({
    ...ports,
    machine,
    holders: { mlx: holderOf(backends.mlx, now), ollama: holderOf(backends.ollama, now) },
    needs: {
      mlx: {
        of: (name) => needs.needsOf(name),
        known: (name) => needs.knownNeeds(name) ?? bySize('mlx', name),
      },
      ollama: {
        of: (name) => Promise.resolve(bySize('ollama', name)),
        known: (name) => bySize('ollama', name),
      },
    },
    isHere: (backend) => isHere(backends[backend].status()),
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
    if (preloading && gate.mustStopPreload(backend.id)) backend.giveUpPreload?.();
  });
}
