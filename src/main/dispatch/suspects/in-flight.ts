import type { BackendId, CompletionRequest } from '../../../shared/domain';
import { isTandemError } from '../../../shared/errors';
import { EXIT_CAUSES, type ExitCause } from '../../../shared/incidents';
import type { BackendStatus } from '../../../shared/status';
import type { BackendRegistry } from '../../backends/registry';
import type { Fingerprints } from './fingerprints';
import { Stay } from './stay';

/**
 * Knows which requests each backend computes, also for callers who left, and holds a death of its process against
 * all of them. Which of them it was shows when they come again: two suspects are never computed together, so that the
 * second death is not an innocent one's. A request stays until nothing is computed for it any more.
 */
export class InFlight {
  readonly #fingerprints: Fingerprints;
  readonly #stays = new Map<BackendId, Set<Stay>>();
  readonly #lastDeath = new Map<BackendId, number | null>();

  constructor(backends: BackendRegistry, fingerprints: Fingerprints) {
    this.#fingerprints = fingerprints;
    for (const backend of backends.all()) {
      this.#stays.set(backend.id, new Set());
      this.#lastDeath.set(backend.id, backend.status().lastError?.at ?? null);
      backend.onStatus((status) => this.#onStatus(status));
    }
  }

  /** A stay that has yet to begin. */
  arrive(backend: BackendId, request: CompletionRequest): Stay {
    return new Stay(backend, request, this.#stays.get(backend) ?? new Set(), this.#fingerprints);
  }

  /** Does it compute a request whose like was there when a process died? */
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

/** The exit cause that a word names; null when it names none. */
function exitCauseOf(word: unknown): ExitCause | null {
  return EXIT_CAUSES.find((cause) => cause === word) ?? null;
}

/** Why a process died, as the failure of an attempt tells it itself; null when it tells of no death. */
export function deathIn(error: unknown): ExitCause | null {
  if (!isTandemError(error)) return null;
  const { cause, processEnded } = error.details;
  // A silence that ended no process cost none, whatever its reason was.
  if (cause === 'stalled' && processEnded !== true) return null;
  // A model's process below a server that lives on: its last words are not told.
  return cause === 'runner-died' ? 'unknown' : exitCauseOf(cause);
}
