import type { BackendId } from '../../shared/domain';
import type { Clock } from '../ports/clock';
import { isComing, isLoaded } from './guard';
import type { Account, Promised } from './ledger';
import type { RiseMeter } from './rise-meter';
import type { MemoryHolder } from './types';

/** What a promise is for. */
interface Wanted {
  backend: BackendId;
  model: string;
}

export interface PromisesOptions {
  holders: ReadonlyMap<BackendId, MemoryHolder>;
  clock: Clock;
  rise: RiseMeter;
  /** Includes all current promises; null while memory cannot be read. */
  account(): Account | null;
  /** Called when a promise is made or ends. */
  changed(): void;
}

/**
 * Keeps promised bytes: weights for a load, cache for a prompt, and bytes reserved for work that waits for another
 * answer. The weights of a model are promised once.
 */
export class Promises {
  readonly #options: PromisesOptions;
  readonly #promised = new Set<Promised>();

  constructor(options: PromisesOptions) {
    this.#options = options;
  }

  /** @param wanted bytes reserved for its model are left out, whichever request reserved them */
  all(wanted?: Wanted): Promised[] {
    return [...this.#promised].filter((promise) => !wanted || !isReserved(promise, wanted));
  }

  /**
   * Promises bytes (null = unknown) to work that begins now. Growth from now on counts as its, unless a load of another
   * request brings the model. The returned function ends the promise; further calls do nothing.
   */
  begin(wanted: Wanted, bytes: number | null): () => void {
    const { holders, rise, changed } = this.#options;
    const account = this.#options.account();
    const joins = account !== null && isComing(wanted, account);
    const promise = this.#add(wanted, bytes, account, {
      // While another request loads the model, growth of the processes is not this request's cache.
      heldBefore: joins ? null : (holders.get(wanted.backend)?.figures().process.bytes ?? null),
      usedBefore: account?.ledger.usedBytes ?? null,
    });
    if (promise.load) rise.loadBegun(bytes ?? 0);
    changed();
    return () => this.#end(promise);
  }

  /**
   * Reserves bytes for work that waits; growth does not count towards them. Null if bytes are already reserved for its
   * model. The returned function ends the reservation.
   */
  reserve(wanted: Wanted, bytes: number | null): (() => void) | null {
    if ([...this.#promised].some((promise) => isReserved(promise, wanted))) return null;
    const { account, changed } = this.#options;
    const promise = this.#add(wanted, bytes, account(), { heldBefore: null, usedBefore: null });
    changed();
    return () => this.#promised.delete(promise);
  }

  #add(
    { backend, model }: Wanted,
    bytes: number | null,
    account: Account | null,
    before: Pick<Promised, 'heldBefore' | 'usedBefore'>,
  ): Promised {
    const wanted = { backend, model };
    const load = !account || !(isComing(wanted, account) || isLoaded(wanted, account));
    const promise = { ...wanted, bytes, load, ...before, at: this.#options.clock.wall().getTime() };
    this.#promised.add(promise);
    return promise;
  }

  #end(promise: Promised): void {
    const { rise, changed } = this.#options;
    const before = promise.load ? this.#loadingBytes() : 0;
    if (!this.#promised.delete(promise)) return;
    if (promise.load) {
      this.#handOver(promise);
      rise.loadEnded(before - this.#loadingBytes());
    }
    changed();
  }

  /** A load continues for the others that wait for the same model: one of them takes over its promise. */
  #handOver({ backend, model, bytes, heldBefore, usedBefore, at }: Promised): void {
    const account = this.#options.account();
    if (account && isLoaded({ backend, model }, account)) return;
    const heir = [...this.#promised].find((other) => !other.load && isFor(other, { backend, model }));
    if (!heir) return;
    const both = bytes === null || heir.bytes === null ? null : bytes + heir.bytes;
    Object.assign(heir, { bytes: both, load: true, heldBefore, usedBefore, at });
  }

  #loadingBytes(): number {
    return this.#options.account()?.loadingBytes ?? 0;
  }
}

function isFor(promise: Promised, { backend, model }: Wanted): boolean {
  return promise.backend === backend && promise.model === model;
}

/** Are these bytes reserved for a load of this model that has not begun? */
function isReserved(promise: Promised, wanted: Wanted): boolean {
  return promise.load && promise.usedBefore === null && isFor(promise, wanted);
}
