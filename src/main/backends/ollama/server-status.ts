import type { BackendId } from '../../../shared/domain';
import { downCodeOf, type TandemError } from '../../../shared/errors';
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

export interface FixedAddress {
  url: string;
  /** The variable or setting that names it. */
  setBy: string;
  backend: BackendId;
}

/** Status of an external server that answers. @param at wall time in ms */
export function foundStatus(url: string, version: string, at: number): Partial<BackendStatus> {
  return {
    state: 'adopted',
    stage: 'idle',
    url,
    version,
    ownership: isLoopbackUrl(url) ? 'adopted' : 'remote',
    readySince: at,
    absence: null,
    nextStartAt: null,
    pid: null,
    model: null,
  };
}

/**
 * Status when an external server does not answer.
 * @param fixed the one address that may be used, and what names it; null = any server may be used
 * @param known it has answered before
 * @param at wall time in ms
 */
export function lostStatus(
  fixed: FixedAddress | null,
  known: boolean,
  error: TandemError,
  at: number,
): Partial<BackendStatus> {
  const code = isWrongAddress(error) ? error.code : known ? 'vanished' : 'unreachable';
  return {
    state: 'absent',
    stage: 'idle',
    ownership: 'none',
    readySince: null,
    model: null,
    pid: null,
    memoryBytes: null,
    url: fixed?.url ?? null,
    absence: fixed === null ? null : absenceAt(fixed, error),
    lastError: { code, message: error.message, at },
  };
}

/** What is wrong when no server answers at the one given address, and what helps. */
function absenceAt({ url, setBy, backend }: FixedAddress, error: TandemError): BackendStatus['absence'] {
  const address = new URL(url).host;
  if (isWrongAddress(error)) return { code: error.code, cure: error.message, details: { address } };
  const named = `No Ollama answers at ${address}, which ${setBy} names.`;
  return {
    code: downCodeOf(backend),
    cure: `${named} Start it there, or unset the address.`,
    details: { address },
  };
}

/** A Tandem answers there, so the address must be changed. */
function isWrongAddress({ code }: TandemError): boolean {
  return code === 'self_reference' || code === 'forbidden_host';
}

export function isLoopbackUrl(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}
