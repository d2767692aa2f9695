import { isServing } from '../../shared/domain';
import type { Settings } from '../../shared/settings';
import type { BackendStatus, MemoryStatus } from '../../shared/status';
import type { GatewayFacts } from './facts';

export type HealthStatus = 'healthy' | 'warning' | 'critical' | 'degraded';

/** The overall status: critical memory first, then an enabled backend that cannot serve, then warnings. */
export function healthStatus(facts: GatewayFacts, settings: Pick<Settings, 'useBackends'>): HealthStatus {
  const pressure = facts.memory()?.pressure;
  if (pressure === 'critical') return 'critical';
  const inUse = facts
    .backends()
    .filter(({ id }) => settings.useBackends === 'both' || settings.useBackends === id);
  if (inUse.some(({ state }) => !isServing(state))) return 'degraded';
  return pressure === 'warning' || facts.warnings().length > 0 ? 'warning' : 'healthy';
}

/** Body of `GET /health`; its field names are a stable interface for scripts. */
export function healthBody(facts: GatewayFacts, settings: Pick<Settings, 'useBackends'>): object {
  const backends = facts.backends();
  const { depth, running } = facts.queue();
  const { max, windowS, clients } = facts.rateLimit();
  return {
    status: healthStatus(facts, settings),
    version: facts.version,
    instance: facts.instanceId,
    backends: Object.fromEntries(backends.map((backend) => [backend.id, backendBody(backend)])),
    models: facts.models().map(({ backend, name, sizeBytes, pinnedContext, contextLength }) => {
      const { useCount, lastUsedAt, loadMs } = facts.modelUse(backend, name);
      return {
        backend,
        name,
        size_bytes: sizeBytes,
        context_length: pinnedContext ?? contextLength,
        use_count: useCount,
        last_used_at: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
        load_ms: loadMs,
      };
    }),
    active_requests: running,
    memory: memoryBody(facts.memory(), backends),
    queue: { depth, running },
    rate_limit: { max, window_s: windowS, clients },
    warnings: facts.warnings().map(({ code, message }) => ({ code, message })),
  };
}

function backendBody(backend: BackendStatus): object {
  const {
    state,
    model,
    restarts,
    pid,
    url,
    version,
    ownership,
    activeRequests,
    draining,
    lastError,
    absence,
  } = backend;
  return {
    state,
    model,
    restarts,
    pid,
    url,
    version,
    ownership,
    active_requests: activeRequests,
    draining,
    last_error: lastError === null ? null : { code: lastError.code, message: lastError.message },
    ...(absence === null ? {} : { code: absence.code, cure: absence.cure }),
  };
}

/** A server's own figure is newer than the machine's sample. */
function memoryBody(memory: MemoryStatus | null, backends: readonly BackendStatus[]): object {
  return {
    used_percent: memory?.usedPercent ?? null,
    warning_percent: memory?.warningPercent ?? null,
    critical_percent: memory?.criticalPercent ?? null,
    pressure: memory?.pressure ?? 'unknown',
    ...Object.fromEntries(backends.map(({ id, memoryBytes }) => [`${id}_bytes`, memoryBytes])),
    total_bytes: memory?.totalBytes ?? null,
  };
}
