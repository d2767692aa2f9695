import type { Warning } from '../../shared/contract';
import type { GatewayFacts } from '../gateway/facts';
import { withName } from '../models/model-names';
import type { SettingsStore } from '../store/settings-store';
import type { Place } from './place';
import type { Services } from './services';

/** What the gateway reports of the services in `/health` and its lists. */
export function gatewayFacts(
  services: Services,
  settings: SettingsStore,
  place: Place,
  warnings: () => Warning[],
): GatewayFacts {
  const { registry, contexts, memory, queue, usage, measured } = services;
  return {
    version: place.version,
    instanceId: place.instanceId,
    instances: () => registry.all().map(({ instance }) => instance),
    backends: () => registry.all().map((backend) => backend.status()),
    models: () => contexts.models(),
    named: (name) => withName(contexts.models(), name),
    memory: () => memory.status(),
    queue: () => queue.stats(),
    rateLimit: () => {
      const { rateLimitMax, rateLimitWindowS } = settings.values();
      return { max: rateLimitMax, windowS: rateLimitWindowS, clients: queue.trackedClients };
    },
    warnings,
    modelUse(backend, name) {
      const load = measured.of({ backend, name })?.load ?? null;
      return { ...usage.of(backend, name), loadMs: load === null ? null : Math.round(load * 1000) };
    },
  };
}
