import type { BackendId, ModelInfo } from '../../shared/domain';
import { isLoopback } from '../../shared/local-origin';
import type { Settings } from '../../shared/settings';
import type { BackendStatus, SetupPart } from '../../shared/status';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import type { MemoryGate } from '../memory/memory-gate';
import type { MemoryHolder } from '../memory/types';
import type { RouteSnapshot } from '../router/types';
import { type BackendRow, instanceOf } from './backend-rows';

/** Is this backend switched on in the settings? */
export function isEnabled(id: BackendId, { useBackends }: Pick<Settings, 'useBackends'>): boolean {
  return useBackends === 'both' || useBackends === id;
}

/** Is this part of the set-up wanted? */
export function isWanted(part: SetupPart['part'], settings: Settings): boolean {
  return part === 'model' ? settings.smallModel : isEnabled(part, settings);
}

/** Can a server use the small model? */
export function hasUseForSmallModel(settings: Settings, rows: readonly BackendRow[]): boolean {
  return rows.some((row) => isEnabled(row.id, settings) && row.takesSmallModel(settings));
}

/** Does this backend run on this machine, as far as is known? Stays the same while it is down. */
export function isLocal({ address }: BackendRow, { ownership }: Pick<BackendStatus, 'ownership'>): boolean {
  const host = address && URL.parse(address.url)?.hostname;
  return ownership !== 'remote' && (address === null || isLoopback(host ?? ''));
}

/** The current facts that a route is decided from. */
export function routeFacts(
  settings: Settings,
  rows: readonly BackendRow[],
  registry: BackendRegistry,
  models: readonly ModelInfo[],
  gate: MemoryGate,
): RouteSnapshot {
  const facts = (row: BackendRow) => {
    const backend = registry.get(row.id);
    const { state, stage } = backend.status();
    return {
      ...instanceOf(row),
      state,
      enabled: isEnabled(row.id, settings),
      settingUp: stage === 'setup',
      capabilities: backend.capabilities,
      chosen: row.chosen(settings),
      loaded: namesLoaded(backend),
    };
  };
  return {
    settings,
    backends: rows.map(facts),
    models,
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
