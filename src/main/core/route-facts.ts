import type { Settings } from '../../shared/settings';
import type { SetupPart } from '../../shared/status';
import { isSwitchedOn } from '../../shared/use-backends';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import type { MemoryGate } from '../memory/memory-gate';
import type { MemoryHolder } from '../memory/types';
import type { ModelLibrary } from '../models/model-library';
import type { RouteSnapshot } from '../router/types';
import { type BackendRow, instanceOf } from './backend-rows';

/** Is this part of the set-up wanted? */
export function isWanted(part: SetupPart['part'], settings: Settings): boolean {
  return part === 'model' ? settings.smallModel : isSwitchedOn(part, settings.useBackends);
}

/** Can a server use the small model? */
export function hasUseForSmallModel(settings: Settings, rows: readonly BackendRow[]): boolean {
  return rows.some((row) => isSwitchedOn(row.id, settings.useBackends) && row.takesSmallModel(settings));
}

/** The current facts that a route is decided from. */
export function routeFacts(
  settings: Settings,
  rows: readonly BackendRow[],
  registry: BackendRegistry,
  library: ModelLibrary,
  gate: MemoryGate,
): RouteSnapshot {
  const facts = (row: BackendRow) => {
    const backend = registry.get(row.id);
    const { state, stage } = backend.status();
    return {
      ...instanceOf(row),
      state,
      enabled: isSwitchedOn(row.id, settings.useBackends),
      settingUp: stage === 'setup',
      capabilities: backend.capabilities,
      chosen: row.chosen(settings),
      loaded: namesLoaded(backend),
    };
  };
  return {
    settings,
    backends: rows.map(facts),
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
