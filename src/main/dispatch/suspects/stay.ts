import type { BackendId, CompletionRequest } from '../../../shared/domain';
import type { ExitCause } from '../../../shared/incidents';
import { orAbort } from '../../ports/bounded';
import { fingerprintOf } from '../../router/fingerprint';
import type { Fingerprints } from './fingerprints';

/**
 * One stay of a request on a backend. A suspect begins it only when it is computed beside no other suspect; those that
 * must wait take turns in the order in which they first tried, so that none waits for all the like of another.
 */
export class Stay {
  readonly request: CompletionRequest;
  readonly #backend: BackendId;
  /** All on this backend that have begun or wait for their turn, in order of their first try. */
  readonly #all: Set<Stay>;
  readonly #fingerprints: Fingerprints;
  readonly #gone = Promise.withResolvers<void>();
  #begun = false;
  #sent = false;
  #mayBeBlamed = false;

  constructor(backend: BackendId, request: CompletionRequest, all: Set<Stay>, fingerprints: Fingerprints) {
    this.#backend = backend;
    this.request = request;
    this.#all = all;
    this.#fingerprints = fingerprints;
  }

  /** Has the backend got it? */
  get isSent(): boolean {
    return this.#sent;
  }

  /** Begins now, or returns false: another suspect is there, and from now on this one is in line behind it. */
  begin(): boolean {
    this.#all.add(this);
    this.#begun = !this.#ahead();
    return this.#begun;
  }

  /** Resolves when nobody is ahead any more; rejects with the signal's reason as soon as it aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    for (let ahead = this.#ahead(); ahead; ahead = this.#ahead()) await orAbort(ahead.#gone.promise, signal);
  }

  /** The backend is about to get it: from here on a death may be its own. */
  sent(): void {
    this.#sent = true;
    this.#mayBeBlamed = true;
  }

  /** The process died under it, or the failure of the attempt says so: told at most once per stay. */
  died(cause: ExitCause): void {
    if (this.#mayBeBlamed) this.#fingerprints.blame(this.request, this.#backend, cause);
    this.#mayBeBlamed = false;
  }

  /** It was answered in full: whatever ended a process under its like, it was not the request. */
  survived(): void {
    this.#fingerprints.acquit(this.request, this.#backend);
  }

  /** Nothing of it is computed there any more, or it waits no longer. */
  leave(): void {
    this.#all.delete(this);
    this.#gone.resolve();
  }

  /**
   * Who must be gone before this one begins: one who has begun or was in line earlier, and may take it down or be taken
   * down by it. Both must be suspects, since a first death refuses nobody; equal ones are one; and two that this
   * backend has answered since their last death are no killers here.
   */
  #ahead(): Stay | undefined {
    const own = this.#fingerprints.of(this.request);
    if (own.deaths === 0) return undefined;
    const hash = fingerprintOf(this.request);
    let isLater = false;
    for (const other of this.#all) {
      if (other === this) isLater = true;
      else if (other.#begun || !isLater) {
        const { deaths, answeredBy } = this.#fingerprints.of(other.request);
        const areHarmless = answeredBy.has(this.#backend) && own.answeredBy.has(this.#backend);
        if (deaths > 0 && !areHarmless && fingerprintOf(other.request) !== hash) return other;
      }
    }
    return undefined;
  }
}
