import { BACKEND_IDS, type BackendId } from '../../shared/domain';
import type { Settings } from '../../shared/settings';
import type { SetupPart } from '../../shared/status';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import type { MemoryGate } from '../memory/memory-gate';
import type { MemoryHolder } from '../memory/types';
import type { ModelLibrary } from '../models/model-library';
import type { RouteSnapshot } from '../router/types';

/** Is this backend switched on in the settings? */
export function isEnabled(id: BackendId, { useBackends }: Pick<Settings, 'useBackends'>): boolean {
  return useBackends === 'both' || useBackends === id;
}

/** Is this part of the set-up wanted? */
export function isWanted(part: SetupPart['part'], settings: Settings): boolean {
  return part === 'model' ? settings.smallModel : isEnabled(part, settings);
}

/** Can a server use the small model? A configured MLX never can; a configured Ollama can with consent. */
export function hasUseForSmallModel(
  settings: Settings,
  named: Record<BackendId, { url: string } | null>,
): boolean {
  const fits = { mlx: named.mlx === null, ollama: named.ollama === null || settings.smallModelInAdopted };
  return BACKEND_IDS.some((id) => isEnabled(id, settings) && fits[id]);
}

/** The current facts that a route is decided from. */
export function routeFacts(
  settings: Settings,
  registry: BackendRegistry,
  library: ModelLibrary,
  gate: MemoryGate,
): RouteSnapshot {
  const facts = (id: BackendId) => {
    const backend = registry.get(id);
    const { state, stage } = backend.status();
    return {
      state,
      enabled: isEnabled(id, settings),
      settingUp: stage === 'setup',
      capabilities: backend.capabilities,
      loaded: namesLoaded(backend),
    };
  };
  return {
    settings,
    backends: { mlx: facts('mlx'), ollama: facts('ollama') },
    models: library.models(),
    memory: gate.pressure(),
    memoryRefuses: (backend, model, tokens) =>
      gate.standing(backend, model, tokens) ?? registry.get(backend).refuses?.(model, tokens) ?? null,
  };
}

/** Names of the models in a server's memory, as far as it reports them. */
function namesLoaded(backend: Backend | (Backend & MemoryHolder)): string[] {
  if ('loaded' in backend) return backend.loaded().flatMap(({ name, ready }) => (ready ? [name] : []));
  const { model } = backend.status();
  return model === null ? [] : [model];
}
