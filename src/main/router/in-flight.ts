import type { BackendId, CompletionRequest } from '../../shared/domain';
import { isTandemError } from '../../shared/errors';
import { EXIT_CAUSES, type ExitCause } from '../../shared/incidents';
import type { BackendStatus } from '../../shared/status';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import type { Fingerprints } from './fingerprints';

/** One stay of a request on a backend. */
export interface Stay {
  readonly request: CompletionRequest;
  /** The process died under it, or the failure of the attempt says so: told at most once per stay. */
  died(cause: ExitCause): void;
  /** It was answered in full: whatever ended a process under its like, it was not the request. */
  survived(): void;
  /** Nothing of it is computed there any more. */
  leave(): void;
}

/**
 * Knows which requests each backend computes, also for callers who left, and holds a death of its process against
 * all of them. A request stays until nothing is computed for it any more.
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

  enter(backend: Backend, request: CompletionRequest): Stay {
    const stays = this.#stays.get(backend.id);
    let blamed = false;
    const stay: Stay = {
      request,
      died: (cause) => {
        if (!blamed) this.#fingerprints.blame(request, backend.id, cause);
        blamed = true;
      },
      survived: () => this.#fingerprints.acquit(request, backend.id),
      leave: () => void stays?.delete(stay),
    };
    stays?.add(stay);
    return stay;
  }

  /** Does it compute a request whose like was there when a process died? */
  suspectOn(backend: BackendId): boolean {
    const stays = this.#stays.get(backend) ?? [];
    return [...stays].some(({ request }) => this.#fingerprints.of(request).deaths > 0);
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
  const { cause } = error.details;
  // A model's process below a server that lives on: its last words are not told.
  return cause === 'runner-died' ? 'unknown' : exitCauseOf(cause);
}
