import type { ExitCause } from '../../shared/incidents';
import type { MemoryStatus } from '../../shared/status';
import type { ProcessExit } from '../ports/spawner';
import type { EvidenceCode } from './evidence-lines';

/** What a backend knows about an exit: the meaning of its server's exit code, and evidence from its log. */
export interface ExitReading {
  /** Null = the exit code has no defined meaning. */
  named: ExitCause | null;
  lines: readonly EvidenceCode[];
}

/** What a supervisor cannot observe itself, at the moment of an exit. */
export interface Circumstances {
  pressure: MemoryStatus['pressure'];
  /** A request was in flight whose fingerprint has ended a process before. */
  killerInFlight: boolean;
}

/** What we did to the process before it ended. */
export interface OwnDoing {
  /** We killed it because it made no progress. */
  stalled: boolean;
  /** We killed it because it did not exit after SIGTERM. */
  overdue: boolean;
}

export interface ExitEvidence extends ExitReading, Circumstances, OwnDoing {
  exit: ProcessExit;
}

const OUTSIDE: ReadonlySet<NodeJS.Signals | null> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

const saw =
  (...codes: EvidenceCode[]) =>
  ({ lines }: ExitEvidence) =>
    lines.some((line) => codes.includes(line));
const named =
  (cause: ExitCause) =>
  ({ named }: ExitEvidence) =>
    named === cause;

/**
 * The proof that each cause needs; the first match wins. Messages of the server come first, then our own actions, then
 * the exit code. A request that has killed before is blamed only when nothing else explains the crash: a process killed
 * from outside was not killed by a request.
 */
const PROOFS: readonly (readonly [ExitCause, (evidence: ExitEvidence) => boolean])[] = [
  ['start_failed', ({ exit }) => exit.error !== undefined],
  ['out_of_memory', saw('metal_out_of_memory', 'allocation_failed')],
  ['gpu_hang', saw('gpu_timeout', 'gpu_hang', 'gpu_preempted')],
  ['stalled', ({ stalled }) => stalled],
  ['port_taken', named('port_taken')],
  ['port_taken', saw('port_taken')],
  ['start_failed', saw('folder_unwritable')],
  ['bad_model', named('bad_model')],
  ['bad_arguments', named('bad_arguments')],
  ['runtime_broken', named('runtime_broken')],
  ['parent_gone', named('parent_gone')],
  ['killed', ({ exit, overdue }) => exit.signal === 'SIGKILL' && overdue],
  ['killed_by_os', ({ exit, pressure }) => exit.signal === 'SIGKILL' && pressure === 'critical'],
  ['killed', ({ exit }) => OUTSIDE.has(exit.signal)],
  ['killed', named('killed')],
  ['poison', ({ killerInFlight }) => killerInFlight],
  ['generation_dead', named('generation_dead')],
  ['generation_dead', saw('generation_thread_died')],
];

/** Why a process ended, judged by the evidence; `unknown` without evidence. */
export function exitCause(evidence: ExitEvidence): ExitCause {
  return PROOFS.find(([, holds]) => holds(evidence))?.[0] ?? 'unknown';
}
