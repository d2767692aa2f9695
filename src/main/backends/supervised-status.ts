import type { BackendStatus } from '../../shared/status';
import type { SupervisorView } from '../supervisor/supervisor-types';
import { exitWords } from './exit-words';
import type { Absent } from './locate';

/**
 * The part of a status that follows from the supervised process and its current work.
 * @param server name of the server, for messages
 * @param draining sequences still computed for callers who left
 */
export function supervisedStatus(
  view: SupervisorView,
  server: string,
  activeRequests: number,
  draining: number,
): Partial<BackendStatus> {
  const up = view.state === 'ready';
  return {
    state: up && activeRequests + draining > 0 ? 'busy' : view.state,
    stage: up && draining > 0 ? 'draining' : view.stage,
    pid: view.pid,
    ownership: 'managed',
    absence: null,
    readySince: view.readySince,
    restarts: view.restarts,
    nextStartAt: view.nextStartAt,
    breaker: view.breaker,
    activeRequests,
    draining,
    ...(view.lastError && {
      lastError: {
        code: view.lastError.cause,
        message: exitWords(server, view.lastError.cause),
        at: view.lastError.at,
        outside: view.lastError.outside,
      },
    }),
    ...(view.pid === null ? { model: null, url: null, memoryBytes: null } : {}),
  };
}

/** Status of a server whose program is missing. */
export function absentStatus({ setup, ...absence }: Absent): Partial<BackendStatus> {
  return {
    state: 'absent',
    stage: setup ? 'setup' : 'idle',
    ownership: 'none',
    absence,
    ...{ pid: null, url: null, model: null, memoryBytes: null, readySince: null, nextStartAt: null },
  };
}
