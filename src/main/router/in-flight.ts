import type { BackendId, CompletionRequest } from '../../shared/domain';
import { isTandemError } from '../../shared/errors';
import { EXIT_CAUSES, type ExitCause } from '../../shared/incidents';
import type { BackendStatus } from '../../shared/status';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import { orAbort } from './bounded';
import { poisoned } from './failures';
import { type Fingerprints, fingerprintOf, MAX_DEATHS } from './fingerprints';

/** One stay of a request on a backend. */
export interface Stay {
  readonly request: CompletionRequest;
  /** The backend is about to get it: from here on a death may be its own. */
  sent(): void;
  /** The process died under it, or the failure of the attempt says so: told at most once per stay. */
  died(cause: ExitCause): void;
  /** It was answered in full: whatever ended a process under its like, it was not the request. */
  survived(): void;
  /** Nothing of it is computed there any more. */
  leave(): void;
  /** Resolves when it has left. */
  readonly gone: Promise<void>;
}

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

  /**
   * A suspect waits here until no other suspect is on the backend. Rejects with `poison` when meanwhile too many
   * processes have died under its like, and with the signal's reason as soon as it aborts.
   */
  async enter(backend: Backend, request: CompletionRequest, signal: AbortSignal): Promise<Stay> {
    for (let other = this.#otherSuspect(backend.id, request); other; ) {
      await orAbort(other.gone, signal);
      if (this.#fingerprints.of(request).deaths >= MAX_DEATHS) throw poisoned();
      other = this.#otherSuspect(backend.id, request);
    }
    return this.#stay(backend, request);
  }

  #stay(backend: Backend, request: CompletionRequest): Stay {
    const stays = this.#stays.get(backend.id);
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    let mayBeBlamed = false;
    const stay: Stay = {
      request,
      gone,
      sent: () => {
        mayBeBlamed = true;
      },
      died: (cause) => {
        if (mayBeBlamed) this.#fingerprints.blame(request, backend.id, cause);
        mayBeBlamed = false;
      },
      survived: () => this.#fingerprints.acquit(request, backend.id),
      leave: () => {
        stays?.delete(stay);
        resolve();
      },
    };
    stays?.add(stay);
    return stay;
  }

  /** A suspect on the backend beside which this one, a suspect too, must not be computed; equal ones are one. */
  #otherSuspect(backend: BackendId, request: CompletionRequest): Stay | undefined {
    if (this.#fingerprints.of(request).deaths === 0) return undefined;
    const own = fingerprintOf(request);
    return [...(this.#stays.get(backend) ?? [])].find(
      (stay) => this.#fingerprints.of(stay.request).deaths > 0 && fingerprintOf(stay.request) !== own,
    );
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
  const { cause, processEnded } = error.details;
  // A silence that ended no process cost none, whatever its reason was.
  if (cause === 'stalled' && processEnded !== true) return null;
  // A model's process below a server that lives on: its last words are not told.
  return cause === 'runner-died' ? 'unknown' : exitCauseOf(cause);
}
