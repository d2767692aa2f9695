import type { CompletionRequest } from '../../../shared/completion';
import type { BackendId } from '../../../shared/domain';
import type { ExitCause } from '../../../shared/incidents';
import { orAbort } from '../../ports/bounded';
import { fingerprintOf } from '../../router/fingerprint';
import type { Fingerprints } from './fingerprints';

/**
 * One stay of a request on a backend. A suspect begins only when no other suspect is running there. Waiting suspects
 * are served in order of their first try, so that no suspect is overtaken by endless repeats of another.
 */
export class Stay {
  readonly request: CompletionRequest;
  readonly #backend: BackendId;
  /** All stays on this backend that have begun or wait, in order of their first try. */
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

  /** True once the backend has the request. */
  get isSent(): boolean {
    return this.#sent;
  }

  /** Begins now, or returns false: another suspect is ahead, and this stay is queued behind it. */
  begin(): boolean {
    this.#all.add(this);
    this.#begun = !this.#ahead();
    return this.#begun;
  }

  /** Resolves when no suspect is ahead any more; rejects with the signal's reason as soon as it aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    for (let ahead = this.#ahead(); ahead; ahead = this.#ahead()) await orAbort(ahead.#gone.promise, signal);
  }

  /** Call before the backend gets the request: from now on it may be blamed for a death. */
  sent(): void {
    this.#sent = true;
    this.#mayBeBlamed = true;
  }

  /** The process died during it, or the failure of the attempt says so; blames the request at most once per stay. */
  died(cause: ExitCause): void {
    if (this.#mayBeBlamed) this.#fingerprints.blame(this.request, this.#backend, cause);
    this.#mayBeBlamed = false;
  }

  /** The request was answered in full, so it is not what ended a process during an equal request. */
  survived(): void {
    this.#fingerprints.acquit(this.request, this.#backend);
  }

  /** Call when nothing of it is computed there any more, or it has stopped waiting. */
  leave(): void {
    this.#all.delete(this);
    this.#gone.resolve();
  }

  /**
   * The stay that must leave before this one begins: one that has begun or queued earlier and could kill the process
   * under this one, or be killed by it. Both must be suspects, since a request without a death never waits; equal
   * requests count as one; two requests that this backend has answered since their last death are harmless here.
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
