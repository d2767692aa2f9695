import type { BackendStatus } from '../../../shared/status';
import type { SupervisorView } from '../../supervisor/supervisor-types';
import { absentStatus, supervisedStatus } from '../supervised-status';
import type { ManagedOllama } from './managed-ollama';

/**
 * The status of our server.
 * @param before the current status, with the work under way
 */
export function managedStatus(
  view: SupervisorView,
  { server, absence }: Pick<ManagedOllama, 'server' | 'absence'>,
  before: BackendStatus,
): Partial<BackendStatus> {
  if (view.state === 'absent') {
    const { activeRequests, draining } = before;
    return { activeRequests, draining, ...(absence ? absentStatus(absence) : {}) };
  }
  // The disappearance of an external server may be newer than our server's last exit.
  const newer = before.lastError !== null && before.lastError.at > (view.lastError?.at ?? 0);
  return {
    hangLimits: before.hangLimits,
    ...supervisedStatus(view, 'Ollama', before.activeRequests, before.draining),
    ...(newer ? { lastError: before.lastError } : {}),
    ...(server ? { url: server.api.url, version: server.version } : {}),
  };
}
