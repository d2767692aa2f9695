import type { BackendId } from '../../shared/domain';
import type { ExitCause, LifeEvent } from '../../shared/incidents';
import type { ProcessExit } from '../ports/spawner';
import type { EvidenceCode } from './evidence-lines';
import type { Circumstances } from './exit-cause';
import { backoffMs, type SupervisorLimits } from './limits';
import { breakerState, type Machine, type SupervisorEvent } from './machine';

/** Facts about a failed run or a failed start. */
export interface Death {
  cause: ExitCause;
  /** Null when no process was spawned. */
  pid: number | null;
  /** Null when no process was spawned, or no exit was seen. */
  exit: ProcessExit | null;
  /** Kinds of lines in its log, oldest first. */
  evidence: readonly EvidenceCode[];
  /** Ms from the start of the process; null without a process. */
  uptimeMs: number | null;
  restarts: number;
  circumstances: Circumstances;
}

/** A moment in the life of a server, before the log adds its sequence number and time. */
export interface LifeMoment {
  type: LifeEvent['type'];
  cause: ExitCause | null;
  facts: LifeEvent['facts'];
}

/** Receives the moments of a server's life, and supplies what a supervisor cannot observe. */
export interface SupervisionObserver {
  onMoment(backend: BackendId, moment: LifeMoment): void;
  /** The moment `died`, with the known facts. */
  onDeath(backend: BackendId, moment: LifeMoment, death: Death): void;
  circumstances(backend: BackendId): Circumstances;
}

/** For a supervisor without an observer: knows nothing, reports nothing. */
export const UNOBSERVED: SupervisionObserver = {
  onMoment() {},
  onDeath() {},
  circumstances: () => ({ pressure: 'unknown', killerInFlight: false }),
};

/**
 * The moments that one transition emits, in order. A failed start and an ended run are both a death; a requested stop
 * or restart is not.
 */
export function momentsOf(
  before: Machine,
  event: SupervisorEvent,
  after: Machine,
  limits: SupervisorLimits,
): LifeMoment[] {
  return [
    ...(event.type === 'restart' ? [moment('restarted_by_user')] : []),
    ...(event.type === 'start-given-up' ? [moment('preload_given_up')] : []),
    ...stateMoments(before, after, limits),
    ...breakerMoments(before, after),
  ];
}

function stateMoments(before: Machine, after: Machine, limits: SupervisorLimits): LifeMoment[] {
  const { state, cause, restarts } = after;
  const stage = state.name === 'starting' ? state.stage : null;
  const stageBefore = before.state.name === 'starting' ? before.state.stage : null;
  if (stage !== stageBefore && stage === 'loading') return [moment('started')];
  if (stage !== stageBefore && stage === 'waiting') return [moment('waiting_for_memory', cause)];
  if (stage !== stageBefore && stage === 'overdue') {
    return [moment('waiting_for_memory', cause, { seconds: seconds(limits.memoryWaitMs) })];
  }
  if (state.name === before.state.name) return [];
  switch (state.name) {
    case 'ready':
    case 'stopped':
      return [moment(state.name)];
    case 'hung':
      return [moment('stalled', cause)];
    case 'open':
      return [moment('died', cause)];
    case 'backoff':
      return [
        moment('died', cause),
        moment('restart_planned', cause, {
          seconds: seconds(backoffMs(restarts, limits)),
          restart: restarts + 1,
          of: limits.maxRestarts,
        }),
      ];
    case 'absent':
      return before.state.name === 'stopping' ? [moment('stopped')] : [];
    case 'starting':
    case 'stopping':
      return [];
  }
}

function breakerMoments(before: Machine, after: Machine): LifeMoment[] {
  // A restart by the user does not close the breaker; only an answer or a stable time does.
  if (before.broken && !after.broken) return [moment('breaker_closed')];
  const now = breakerState(after);
  if (now === breakerState(before)) return [];
  if (after.state.name === 'open') {
    const { coolMs } = after.state;
    return [moment('breaker_open', after.cause, coolMs === null ? {} : { seconds: seconds(coolMs) })];
  }
  return now === 'half_open' ? [moment('breaker_half_open')] : [];
}

function moment(
  type: LifeEvent['type'],
  cause: ExitCause | null = null,
  facts: LifeEvent['facts'] = {},
): LifeMoment {
  return { type, cause, facts };
}

/** Rounded to tenths, because short times are reported too. */
export function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
