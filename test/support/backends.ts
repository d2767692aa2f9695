import type { BackendCapabilities } from '../../src/main/backends/backend';
import { rowsOf } from '../../src/main/core/backend-rows';
import type { RouteBackend } from '../../src/main/router/types';
import type { BackendId, BackendInstance } from '../../src/shared/domain';
import { defaultSettings, type Settings } from '../../src/shared/settings';

export const CAPABLE: BackendCapabilities = { tools: true, images: true, jsonSchema: true };

/** The two backends that every run has. */
export const MLX: BackendInstance = { id: 'mlx', kind: 'mlx', role: 'light', title: 'MLX' };
export const OLLAMA: BackendInstance = { id: 'ollama', kind: 'ollama', role: 'heavy', title: 'Ollama' };
export const INSTANCES = [MLX, OLLAMA];

/** One of the two; any other id is a heavy backend of a kind of its own. */
export function instanceOf(id: BackendId): BackendInstance {
  return INSTANCES.find((one) => one.id === id) ?? { id, kind: id, role: 'heavy', title: id };
}

/** A backend as routes see it: up, unless overridden. */
export function routeBackend(
  id: BackendId,
  more: Partial<RouteBackend> = {},
  settings: Settings = defaultSettings(),
): RouteBackend {
  const row = rowsOf(settings, null).find((one) => one.id === id);
  return {
    ...instanceOf(id),
    ...{ state: 'ready', enabled: true, settingUp: false, capabilities: CAPABLE },
    chosen: row?.chosen(settings) ?? {},
    ...more,
  };
}
