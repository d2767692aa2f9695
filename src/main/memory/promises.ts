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
  holders: Readonly<Record<BackendId, MemoryHolder>>;
  clock: Clock;
  rise: RiseMeter;
  /** With all that is promised at this moment; null while memory cannot be read. */
  account(): Account | null;
  /** Told of each promise that is made, and of each that ends. */
  changed(): void;
}

/**
 * Keeps what is promised: to a load its weights, to a prompt its cache, and to work that waits for another one's answer
 * what is kept free for it. The weights of a model are promised once.
 */
export class Promises {
  readonly #options: PromisesOptions;
  readonly #promised = new Set<Promised>();

  constructor(options: PromisesOptions) {
    this.#options = options;
  }

  /** @param wanted what is kept free for its model is left out: it is there for it, whoever asked first */
  all(wanted?: Wanted): Promised[] {
    return [...this.#promised].filter((promise) => !wanted || !isReserved(promise, wanted));
  }

  /**
   * Promises bytes (null = nobody knows how many) to work that begins now. What comes from now on is its, unless another
   * one's load brings the model. The returned function ends the promise; called again it does nothing.
   */
  begin(wanted: Wanted, bytes: number | null): () => void {
    const { holders, rise, changed } = this.#options;
    const account = this.#options.account();
    const joins = account !== null && isComing(wanted, account);
    const promise = this.#add(wanted, bytes, account, {
      // While another's load brings the model, growth of the processes is not of this one's cache.
      heldBefore: joins ? null : holders[wanted.backend].figures().process.bytes,
      usedBefore: account?.ledger.usedBytes ?? null,
    });
    if (promise.load) rise.loadBegun(bytes ?? 0);
    changed();
    return () => this.#end(promise);
  }

  /**
   * Keeps bytes free for work that waits: nothing that comes is its. Null when they are kept for its model already. The
   * returned function gives them up.
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

  /** A load goes on for those who wait for the same model: one of them takes over what is promised to it. */
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

/** Is it kept free for a load of this model that has not begun? */
function isReserved(promise: Promised, wanted: Wanted): boolean {
  return promise.load && promise.usedBefore === null && isFor(promise, wanted);
}
