import type { BackendStatus } from '../../../shared/status';
import type { SupervisorView } from '../../supervisor/supervisor-types';
import { absentStatus, supervisedStatus } from '../supervised-status';
import type { ManagedOllama } from './managed-ollama';

/**
 * What the status says of a server of ours.
 * @param before what it says until now, with the work that is under way
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
  // That a server of somebody else has vanished may be later news than why ours ended.
  const newer = before.lastError !== null && before.lastError.at > (view.lastError?.at ?? 0);
  return {
    hangLimits: before.hangLimits,
    ...supervisedStatus(view, 'Ollama', before.activeRequests, before.draining),
    ...(newer ? { lastError: before.lastError } : {}),
    ...(server ? { url: server.api.url, version: server.version } : {}),
  };
}
