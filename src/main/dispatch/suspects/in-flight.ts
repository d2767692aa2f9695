import type { CompletionRequest } from '../../../shared/completion';
import type { BackendId } from '../../../shared/domain';
import { isTandemError } from '../../../shared/errors';
import { EXIT_CAUSES, type ExitCause } from '../../../shared/incidents';
import type { BackendStatus } from '../../../shared/status';
import type { BackendRegistry } from '../../backends/registry';
import type { Fingerprints } from './fingerprints';
import { Stay } from './stay';

/**
 * Tracks which requests each backend computes, also for callers who left, and blames all of them when its process dies.
 * Later runs show which one was guilty: two suspects never run together, so an innocent one is not blamed for a second
 * death. A request stays until nothing is computed for it any more.
 */
export class InFlight {
  readonly #fingerprints: Fingerprints;
  readonly #stays = new Map<BackendId, Set<Stay>>();
  readonly #lastDeath = new Map<BackendId, number | null>();

  constructor(backends: BackendRegistry, fingerprints: Fingerprints) {
    this.#fingerprints = fingerprints;
    for (const backend of backends.all()) {
      const { id } = backend.instance;
      this.#stays.set(id, new Set());
      this.#lastDeath.set(id, backend.status().lastError?.at ?? null);
      backend.onStatus((status) => this.#onStatus(status));
    }
  }

  /** A stay that has not begun yet. */
  arrive(backend: BackendId, request: CompletionRequest): Stay {
    return new Stay(backend, request, this.#stays.get(backend) ?? new Set(), this.#fingerprints);
  }

  /** Is this backend computing a request equal to one that was in flight when a process died? */
  suspectOn(backend: BackendId): boolean {
    const stays = this.#stays.get(backend) ?? [];
    return [...stays].some((stay) => stay.isSent && this.#fingerprints.of(stay.request).deaths > 0);
  }

  #onStatus({ id, lastError }: BackendStatus): void {
    if (lastError === null || lastError.at === this.#lastDeath.get(id)) return;
    this.#lastDeath.set(id, lastError.at);
    const cause = lastError.outside ? null : exitCauseOf(lastError.code);
    if (cause) for (const stay of this.#stays.get(id) ?? []) stay.died(cause);
  }
}

/** The exit cause that a word names, or null. */
function exitCauseOf(word: unknown): ExitCause | null {
  return EXIT_CAUSES.find((cause) => cause === word) ?? null;
}

/** The cause of a process death as the attempt's failure reports it; null if no process died. */
export function deathIn(error: unknown): ExitCause | null {
  if (!isTandemError(error)) return null;
  const { cause, processEnded } = error.details;
  // A stall that ended no process is not a death, whatever caused it.
  if (cause === 'stalled' && processEnded !== true) return null;
  // A model's process died while its server lives on; the server does not report the cause.
  return cause === 'runner-died' ? 'unknown' : exitCauseOf(cause);
}
